"""Tensors of a `.pt` that PyTorch saved (1.6 or later), read where they lie, without PyTorch and a piece at a time.

Such a file is a zip archive: a pickle of what was saved, in which each tensor is a place in a storage, and the storages
as they are in memory. Only tensors, numbers, texts and their containers are unpickled; any other class is refused."""

import collections
import json
import math
import pickle
import struct
import zipfile

# Types of docs/spec/model.md §11, and how they are called where a storage or a tensor names its own.
STORAGES = {
    "FloatStorage": "F32",
    "DoubleStorage": "F64",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "IntStorage": "I32",
    "LongStorage": "I64",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
    "UntypedStorage": None,
}
DTYPES = {
    "float32": "F32",
    "float64": "F64",
    "float16": "F16",
    "bfloat16": "BF16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "bool": "BOOL",
    "float8_e4m3fn": "F8_E4M3",
}
BYTES = {"F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I32": 4, "I64": 8, "U8": 1, "BOOL": 1, "F8_E4M3": 1}
PIECE = 1 << 22

Storage = collections.namedtuple("Storage", "key type")
Tensor = collections.namedtuple("Tensor", "key type offset shape strides")


class Refused(Exception):
    pass


def _rebuild(storage, offset, shape, strides, *rest):
    """`_rebuild_tensor_v2`, and v3, which names the type by itself."""
    type = next((each.name for each in rest if isinstance(each, Dtype)), storage.type)
    if type is None:
        raise Refused("a tensor without a type")
    return Tensor(storage.key, type, offset, tuple(shape), tuple(strides))


Dtype = collections.namedtuple("Dtype", "name")
KNOWN = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch", "Size"): tuple,
    **{(place, name): Storage(None, type) for name, type in STORAGES.items() for place in ("torch", "torch.storage")},
    **{("torch", name): Dtype(type) for name, type in DTYPES.items()},
}


class Reader(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) in KNOWN:
            return KNOWN[module, name]
        raise Refused(f"{module}.{name}, which is no tensor's")

    def persistent_load(self, saved):
        kind, storage, key = saved[:3]
        if kind != "storage" or not isinstance(storage, Storage):
            raise Refused(f"a {kind}")
        return Storage(key, storage.type)


class TorchFile:
    """`state` is what was saved, with a `Tensor` for each tensor."""

    def __init__(self, path):
        self.path = path
        with zipfile.ZipFile(path) as archive:
            names = {info.filename.split("/", 1)[-1]: info for info in archive.infolist()}
            if "byteorder" in names and archive.read(names["byteorder"]) != b"little":
                raise Refused("numbers with the high byte first")
            with archive.open(names["data.pkl"]) as file:
                self.state = Reader(file).load()
            self._data = {key[5:]: info for key, info in names.items() if key.startswith("data/")}

    def pieces(self, tensor):
        """Its bytes in the order of its elements; float64 as float32, as our layout has no float64."""
        size, count = BYTES[tensor.type], math.prod(tensor.shape)
        if count == 0:
            return
        info = self._data[tensor.key]
        if info.compress_type != zipfile.ZIP_STORED:
            raise Refused("compressed tensors")
        with open(self.path, "rb") as file:
            file.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            begin = info.header_offset + 30 + name + extra
            most = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides))
            if min(tensor.strides, default=0) < 0 or (most + 1) * size > info.file_size:
                raise Refused("a tensor beyond its storage")
            if is_contiguous(tensor):
                file.seek(begin + tensor.offset * size)
                yield from converted(blocks(file, count * size), tensor.type)
            else:
                yield from converted(gathered(self.path, begin, tensor, size), tensor.type)


def is_contiguous(tensor):
    step = 1
    for n, stride in zip(reversed(tensor.shape), reversed(tensor.strides)):
        if n != 1 and stride != step:
            return False
        step *= n
    return True


def blocks(file, left):
    while left > 0:
        block = file.read(min(PIECE, left))
        if not block:
            raise Refused("a storage that ends too early")
        left -= len(block)
        yield block


def gathered(path, begin, tensor, size):
    """A view that is not laid out as it counts, by rows."""
    import numpy

    raw = numpy.memmap(path, numpy.dtype(f"V{size}"), "r", begin + tensor.offset * size, (1,))
    view = numpy.lib.stride_tricks.as_strided(raw, tensor.shape, [stride * size for stride in tensor.strides])
    rows = max(1, PIECE // max(1, math.prod(tensor.shape[1:]) * size))
    for at in range(0, tensor.shape[0], rows):
        yield view[at : at + rows].tobytes()


def converted(pieces, type):
    if type != "F64":
        yield from pieces
        return
    import numpy

    for piece in pieces:
        yield numpy.frombuffer(piece, "<f8").astype("<f4").tobytes()


def write_safetensors(path, file, tensors, metadata):
    """The named tensors of a `TorchFile`, a piece in memory at a time."""
    header, offset = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        type = "F32" if tensors[name].type == "F64" else tensors[name].type
        end = offset + math.prod(tensors[name].shape) * BYTES[type]
        header[name] = {"dtype": type, "shape": list(tensors[name].shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            for piece in file.pieces(tensors[name]):
                out.write(piece)
