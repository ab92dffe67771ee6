"""Operations of a .tflite file that the accelerators of a phone can and cannot run."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils

from tfgan_app.lite.delegate_operators import GPU_OPERATORS, NNAPI_OPERATORS
from tfgan_app.lite.quiet import native_stderr_hidden

_DELEGATE = "DELEGATE"


@dataclass(frozen=True)
class Delegation:
    """Operations that an accelerator runs, and those left to plain CPU kernels.

    Attributes:
        delegate: Name of the accelerator's delegate.
        taken: Number of operations that it runs.
        left: Name of each operation that it does not run -> count.
        parts: Number of parts that the network is split into: each change between accelerator and CPU copies feature
            maps and waits.
        why: Reason why it runs nothing, if so.
    """

    delegate: str
    taken: int
    left: dict[str, int]
    parts: int
    why: str = ""

    def line(self) -> str:
        """One readable line."""
        if not self.left:
            return f"{self.delegate}: runs all {self.taken} operations"
        if self.why:
            return f"{self.delegate}: runs nothing: {self.why}"
        left = ", ".join(f"{count} {name}" for name, count in sorted(self.left.items()))
        parts = "" if self.parts == 1 else f", in {self.parts} parts"
        return f"{self.delegate}: runs {self.taken} operations{parts}, and leaves to the CPU {left}"


def operator_names(content: bytes) -> list[str]:
    """Names of the operations of a .tflite file, in order, with repetitions."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    return [details["op_name"] for details in interpreter._get_ops_details()]


def delegations(content: bytes) -> list[Delegation]:
    """Operations of a .tflite file that XNNPACK (on CPUs), the GPU delegate and NNAPI would run.

    XNNPACK is tested by loading the file with it here. The other two are compared by their lists of operations and
    number types: the support of real drivers differs by phone.
    """
    with native_stderr_hidden():
        on_cpu = _xnnpack(content)
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph = model.subgraphs[0]
    if any(-1 in _signature_of(graph.tensors[index]) for index in graph.inputs):
        nothing = dict(collections.Counter(operator_names(content)))
        why = "the size of the input is open, which it does not support"
        return [on_cpu, *(Delegation(name, 0, nothing, 1, why) for name in ("GPU", "NNAPI"))]
    operators = [_Operator.of(model, operator) for operator in graph.operators]
    on_gpu = [each.name in GPU_OPERATORS and not each.mirrors_edge for each in operators]
    on_nnapi = [each.name in NNAPI_OPERATORS and not each.mixes_numbers for each in operators]
    return [on_cpu, _by_operator("GPU", operators, on_gpu), _by_operator("NNAPI", operators, on_nnapi)]


def _signature_of(tensor: schema.TensorT) -> list[int]:
    shape = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    return [] if shape is None else list(shape)


@dataclass(frozen=True)
class _Operator:
    """One operation of a file.

    Attributes:
        name: Name of the builtin operation.
        mixes_numbers: Whether it multiplies floats by integers, as in `dynamic` files.
        mirrors_edge: Whether it pads by reflection that repeats the edge.
    """

    name: str
    mixes_numbers: bool
    mirrors_edge: bool

    @classmethod
    def of(cls, model: schema.ModelT, operator: schema.OperatorT) -> _Operator:
        name = flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex)
        tensors = model.subgraphs[0].tensors
        types = [tensors[index].type for index in operator.inputs[:2] if index >= 0]
        options = operator.builtinOptions
        symmetric = name == "MIRROR_PAD" and options.mode == schema.MirrorPadMode.SYMMETRIC
        mixed = len(types) == 2 and types == [schema.TensorType.FLOAT32, schema.TensorType.INT8]
        return cls(name, mixed, symmetric)


def _by_operator(delegate: str, operators: list[_Operator], taken: list[bool]) -> Delegation:
    left = collections.Counter(each.name for each, is_taken in zip(operators, taken, strict=True) if not is_taken)
    parts = sum(now and not before for before, now in zip([False, *taken], taken, strict=False))
    return Delegation(delegate, sum(taken), dict(left), max(1, parts))


def _xnnpack(content: bytes) -> Delegation:
    """Finds the operations that XNNPACK's nodes replace in the interpreter, by their inputs and outputs."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    operators = interpreter._get_ops_details()
    nodes = [details for details in operators if details["op_name"] != _DELEGATE]
    maker = {int(tensor): index for index, details in enumerate(nodes) for tensor in details["outputs"]}
    taken: set[int] = set()
    replaced = [details for details in operators if details["op_name"] == _DELEGATE]
    for details in replaced:
        taken |= _between(nodes, maker, first=set(map(int, details["inputs"])), last=map(int, details["outputs"]))
    left = collections.Counter(details["op_name"] for index, details in enumerate(nodes) if index not in taken)
    return Delegation("XNNPACK (CPU)", len(nodes) - left.total(), dict(left), max(1, len(replaced)))


def _between(nodes: list[dict], maker: dict[int, int], *, first: set[int], last: Iterator[int]) -> set[int]:
    """Indices of the operations between tensors."""
    found: set[int] = set()
    waiting = [tensor for tensor in last if tensor not in first]
    while waiting:
        index = maker.get(waiting.pop())
        if index is not None and index not in found:
            found.add(index)
            waiting += [tensor for tensor in map(int, nodes[index]["inputs"]) if tensor not in first and tensor >= 0]
    return found
