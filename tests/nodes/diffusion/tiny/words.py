"""Tokenizers with vocabularies made in memory: letters, so that any prompt is tokens."""

import transformers

LETTERS = "abcdefghijklmnopqrstuvwxyz"

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""A chat template in the manner of instruction-tuned language models."""


def clip(length=77):
    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=length)


def t5(length=512):
    pieces = ["<pad>", "</s>", "<unk>", "▁", *LETTERS, *LETTERS.upper(), *"0123456789.,:;!?'-<>|/()\n"]
    vocabulary = [(piece, -float(index > 2)) for index, piece in enumerate(pieces)]
    return transformers.T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=length)


def roberta(length=77):
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS, "<mask>"]
    vocabulary = [(piece, -float(index > 3)) for index, piece in enumerate(pieces)]
    return transformers.XLMRobertaTokenizer(vocab=vocabulary, model_max_length=length)


def byte_symbols():
    """The 256 printable characters that byte-level BPE writes bytes as."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [*map(chr, printable), *(chr(256 + index) for index in range(len(others)))]


def byte_level(cls=transformers.Qwen2Tokenizer, special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"), **options):
    words = [*byte_symbols(), *special]
    tokenizer = cls(vocab={word: index for index, word in enumerate(words)}, merges=[], **options)
    tokenizer.chat_template = CHAT
    return tokenizer


def gemma():
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "▁", *LETTERS, *LETTERS.upper(), *"0123456789.,:;!?'-<>|/()\n"]
    return _begun(transformers.GemmaTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=[]), "<bos>")


def _begun(tokenizer, token):
    """With a first token before every text, so that the empty text is tokens too."""
    from tokenizers import processors

    number = tokenizer.convert_tokens_to_ids(token)
    first = processors.TemplateProcessing(single=f"{token} $A", special_tokens=[(token, number)])
    tokenizer._tokenizer.post_processor = first
    return tokenizer


def bert():
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    return transformers.BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, model_max_length=77)


def generic(length=512):
    """A tokenizer of no class of its own, as language models often ship."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    words = [*byte_symbols(), "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    bare = Tokenizer(models.BPE(vocab={word: index for index, word in enumerate(words)}, merges=[]))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bare, model_max_length=length, **dict.fromkeys(("eos_token", "pad_token"), "<|endoftext|>")
    )
    tokenizer.chat_template = CHAT
    return _begun(tokenizer, "<|im_start|>")


def headed():
    """One that knows the marks of a chat's headers, and of a picture's place."""
    marks = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<image>")
    tokenizer = generic()
    tokenizer.add_special_tokens({"additional_special_tokens": list(marks)})
    return tokenizer
