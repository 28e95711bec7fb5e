"""The error tree is as it is drawn."""

from lectr_lab.core import errors


def test_every_error_is_in_the_drawing():
    """Whoever reads the module's head knows them all, and all are LabErrors."""
    kinds = [v for v in vars(errors).values() if isinstance(v, type)]

    assert all(issubclass(kind, errors.LabError) for kind in kinds)
    assert not [k.__name__ for k in kinds if k.__name__ not in (errors.__doc__ or "")]


def test_an_error_can_be_caught_as_what_it_is_in_python_too():
    """A configuration error is a ValueError, a log error an OSError."""
    assert issubclass(errors.ConfigError, ValueError)
    assert issubclass(errors.LogError, OSError)
