"""Which device `--device` means."""

import pytest
import torch

from charrnn.errors import UsageError
from charrnn.models.device import choose


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_auto_is_the_cpu_where_there_is_no_cuda() -> None:
    assert choose("auto") == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError) as caught:
        choose("cuda")
    assert caught.value.message == "--device cuda: not on this machine"
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("there is: cpu")
