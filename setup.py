"""What pyproject.toml cannot say yet: the one module in C, without which the node works too, only slower."""

from setuptools import Extension, setup

HERE = "dicom_node/receiver/native"

NATIVE = Extension(
    "dicom_node.receiver._native",
    sources=[f"{HERE}/{name}.c" for name in ("draft", "journal", "journal_object", "lane", "message")],
    depends=[f"{HERE}/{name}.h" for name in ("draft", "journal", "journal_object", "message")],
    libraries=["crypto"],
    extra_compile_args=[
        *("-O2", "-Wall", "-Wextra", "-fstack-protector-strong"),
        *("-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"),  # some compilers come with another one
    ],
    optional=True,  # no compiler, no headers: the installation goes on
)

setup(ext_modules=[NATIVE])
