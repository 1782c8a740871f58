"""What pyproject.toml cannot say yet: the one module in C, without which the node works too, only slower."""

from setuptools import Extension, setup

NATIVE = Extension(
    "dicom_node.receiver._native",
    sources=["dicom_node/receiver/_native.c"],
    libraries=["crypto"],
    extra_compile_args=[
        *("-O2", "-Wall", "-Wextra", "-fstack-protector-strong"),
        *("-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"),  # some compilers come with another one
    ],
    optional=True,  # no compiler, no headers: the installation goes on
)

setup(ext_modules=[NATIVE])
