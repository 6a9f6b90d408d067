import torch
from diffusers.utils.torch_utils import randn_tensor

from nodes.diffusion.schedules.noise import draw, generators


def test_a_sample_of_a_batch_equals_that_sample_alone():
    batch = draw((4, 8, 8), generators(5, 3), torch.float32)
    assert torch.equal(batch[2:], draw((4, 8, 8), generators(7, 1), torch.float32))


def test_noise_is_what_diffusers_draws():
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        ours = draw((4, 8, 8), generators(5, 2), dtype)
        theirs = randn_tensor((2, 4, 8, 8), generators(5, 2), torch.device("cpu"), dtype)
        assert torch.equal(ours, theirs)


def test_the_largest_seed_has_successors():
    last = draw((9,), generators(2**63 - 1, 2), torch.float32)
    assert torch.equal(last[1:], draw((9,), generators(0, 1), torch.float32))
