"""An error begins with one file, however many places know one."""
from hwsim.errors import GraphError, OverflowFault, in_file


def test_the_first_file_stays():
    error = in_file(GraphError("c: an input must be finite"), "photo.png")
    assert str(error) == str(in_file(error, "net.h5")) == "photo.png: c: an input must be finite"


def test_an_event_stays():
    fault = in_file(OverflowFault("c: too wide", event="first"), "net.h5")
    assert (str(fault), fault.event) == ("net.h5: c: too wide", "first")
