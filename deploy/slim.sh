#!/bin/sh
# Takes out of an environment what no program runs: slim.sh ENVIRONMENT
#
# Test suites that packages install, torch's C++ headers and test programs, static libraries: about 0.3 GB of 1.8.
set -eu

for packages in "$1"/lib/python3.*/site-packages; do
    rm -rf "$packages"/torch/test "$packages"/torch/include "$packages"/pyarrow/include
    find "$packages"/torch/bin -type f ! -name torch_shm_manager -delete 2>/dev/null || true
    for package in numpy pandas scipy pyarrow networkx sympy onnx datasets; do
        find "$packages/$package" -type d -name tests -prune -exec rm -rf {} + 2>/dev/null || true
    done
    find "$packages" -name '*.a' -delete
done
