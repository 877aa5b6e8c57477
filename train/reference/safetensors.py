"""The safetensors file format: an 8-byte header length, a JSON header, then the raw little-endian tensors."""

import json
import struct

import torch

NAMES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
if hasattr(torch, "float8_e4m3fn"):
    NAMES[torch.float8_e4m3fn] = "F8_E4M3"
TYPES = {name: dtype for dtype, name in NAMES.items()}


def save(path, tensors, metadata=None):
    """Writes named tensors one after the other; `metadata` is a dictionary of strings. Data starts 8-byte aligned."""
    header, offset = {}, 0
    if metadata:
        header["__metadata__"] = {key: str(value) for key, value in metadata.items()}
    for name in sorted(tensors):
        tensor = tensors[name]
        size = tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            file.write(_bytes(tensors[name].detach().cpu().contiguous()))


def load(path):
    """Returns (tensors, metadata)."""
    with open(path, "rb") as file:
        raw = file.read()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + at for at in entry["data_offsets"])
        dtype = TYPES[entry["dtype"]]
        flat = torch.frombuffer(bytearray(raw[begin:end]), dtype=dtype) if end > begin else torch.empty(0, dtype=dtype)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def _bytes(tensor):
    if tensor.dtype == torch.bfloat16:  # numpy knows no bfloat16; the 16 bits are what counts
        tensor = tensor.view(torch.int16)
    elif tensor.element_size() == 1 and tensor.dtype != torch.bool:  # nor any fp8
        tensor = tensor.view(torch.uint8)
    return tensor.numpy().tobytes()
