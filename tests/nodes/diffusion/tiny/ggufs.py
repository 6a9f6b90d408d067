"""Tensors as GGUF files, by the format's own writer."""

import gguf
import torch

TYPES = {name: gguf.GGMLQuantizationType[name] for name in ("F16", "F32", "Q8_0", "Q4_0", "BF16")}


def write(path, tensors, quantised="Q8_0"):
    """Matrices in blocks where their width allows it, everything else in single precision, as converters do."""
    writer = gguf.GGUFWriter(path, "tiny")
    writer.add_array("tokenizer.words", ["a", "fox"])
    writer.add_array("sizes", [1, 2, 3])
    writer.add_string("general.name", "Ein Füchslein")
    kind = TYPES[quantised]
    block = gguf.GGML_QUANT_SIZES[kind][0]
    for name, tensor in tensors.items():
        array = tensor.to(torch.float32).contiguous().numpy()
        if array.ndim == 2 and array.shape[1] % block == 0:
            writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
