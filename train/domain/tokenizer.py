"""Byte-level BPE of 1024 entries in Hugging Face format; special tokens at the official ids (spec 1.1, 1.10)."""

import collections
import json
import re

SPECIALS = {
    0: "<longcat_unk>",
    1: "<longcat_s>",
    2: "</longcat_s>",
    3: "<longcat_pad>",
    134: "<|audio|>",
    135: "<|/audio|>",
    136: "<|audio_pad|>",
    137: "</pause>",
    138: "<begin-of-system>",
    139: "<begin-of-user>",
    140: "<begin-of-assistant>",
    141: "<begin-of-voice-assistant>",
    142: "<|image_pad|>",
    143: "<image>",
    144: "</wait>",
}
# Bytes that no text has (UTF-8 never uses them) give their entries to the tags of tool calls, docs/spec/tools.md §1.
TAGS = {
    0xF5: "<longcat_tool_call>",
    0xF6: "</longcat_tool_call>",
    0xF7: "<longcat_arg_key>",
    0xF8: "</longcat_arg_key>",
    0xF9: "<longcat_arg_value>",
    0xFA: "</longcat_arg_value>",
}
SIZE = 1024
WAIT = 144  # nano's own: the user has not finished speaking; config.json names it as `wait_token_id`
# ASCII reading of the pattern that byte-level tokenizers split words with.
WORDS = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


def byte_characters():
    """The printable stand-in for each byte that byte-level tokenizers write into their files."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, extra = {b: chr(b) for b in plain}, 256
    for b in range(256):
        if b not in table:
            table[b] = chr(extra)
            extra += 1
    return table


BYTES = byte_characters()


def spell(word):
    return tuple(BYTES[b] for b in word.encode())


def learn_merges(texts, count):
    words = collections.Counter(w for text in texts for w in WORDS.findall(text))
    parts = {w: spell(w) for w in words}
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for w, n in words.items():
            for pair in zip(parts[w], parts[w][1:]):
                pairs[pair] += n
        if not pairs:
            break
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        parts = {w: join(p, best) for w, p in parts.items()}
    return merges


def join(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if parts[i : i + 2] == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return tuple(out)


def build(texts):
    """-> tokenizer.json as a dictionary."""
    free = [i for i in range(SIZE) if i not in SPECIALS]
    vocab = {name: i for i, name in SPECIALS.items()}
    vocab.update({BYTES[b]: free[b] for b in range(256)})
    merges = learn_merges(texts, len(free) - 256)
    vocab.update({a + b: free[256 + k] for k, (a, b) in enumerate(merges)})
    for i in free[256 + len(merges) :]:
        vocab[f"<reserved_{i}>"] = i
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return with_tags(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {
                    "id": i,
                    "content": name,
                    "single_word": False,
                    "lstrip": False,
                    "rstrip": False,
                    "normalized": False,
                    "special": True,
                }
                for i, name in sorted(SPECIALS.items())
            ],
            "normalizer": None,
            "pre_tokenizer": byte_level,
            "post_processor": None,
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "vocab": dict(sorted(vocab.items(), key=lambda e: e[1])),
                "merges": [f"{a} {b}" for a, b in merges],
            },
        }
    )


def with_tags(data):
    """A tokenizer.json in which the tags of tool calls have the entries of bytes that no text has; one that has them
    stays as it is."""
    names = {BYTES[byte]: tag for byte, tag in TAGS.items()}
    vocab = {names.get(name, name): i for name, i in data["model"]["vocab"].items()}
    known = {token["content"] for token in data["added_tokens"]}
    added = data["added_tokens"] + [
        {
            "id": vocab[tag],
            "content": tag,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": False,
        }
        for tag in TAGS.values()
        if tag not in known
    ]
    return {**data, "added_tokens": added, "model": {**data["model"], "vocab": vocab}}


class Tokenizer:
    def __init__(self, path):
        with open(path) as file:
            data = json.load(file)
        self.vocab = data["model"]["vocab"]
        self.rank = {tuple(m.split(" ")): i for i, m in enumerate(data["model"]["merges"])}
        self.names = {i: name for name, i in self.vocab.items()}
        self.special = {t["content"]: t["id"] for t in data["added_tokens"]}
        self.split = re.compile("(" + "|".join(re.escape(name) for name in self.special) + ")")
        self.known = {}

    def encode(self, text):
        ids = []
        for piece in self.split.split(text):
            if piece in self.special:
                ids.append(self.special[piece])
            else:
                for word in WORDS.findall(piece):
                    ids.extend(self.word(word))
        return ids

    def word(self, word):
        if word not in self.known:
            parts = spell(word)
            while len(parts) > 1:
                best = min(zip(parts, parts[1:]), key=lambda p: self.rank.get(p, 1 << 30))
                if best not in self.rank:
                    break
                parts = join(parts, best)
            self.known[word] = [self.vocab[p] for p in parts]
        return self.known[word]

    def decode(self, ids):
        reverse = {c: b for b, c in BYTES.items()}
        out = b""
        for i in ids:
            name = self.names[int(i)]
            out += name.encode() if name in self.special else bytes(reverse[c] for c in name)
        return out.decode(errors="replace")
