#!/bin/sh
# Installs the build of torch that fits this machine into the environment of the given Python: install-torch.sh PYTHON
#
#   TORCH=cpu | cuda     instead of looking for an NVIDIA card
#   TORCH_INDEX_URL=URL  the package index to take it from, such as https://download.pytorch.org/whl/cu130
#
# The default index's build for Linux brings CUDA with it (5 GB installed); PyTorch's own index has one for CPUs (0.8 GB).
set -eu

python=$1
here=$(dirname "$0")
requirement=$(grep -i '^torch==' "$here/../constraints.txt")
cpu_index=https://download.pytorch.org/whl/cpu

installed() {
    "$python" -c 'from importlib.metadata import version; print(version("torch"))' 2>/dev/null || true
}

size_mb() {
    folder=$("$python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
    du -csm "$folder"/torch "$folder"/nvidia* "$folder"/triton 2>/dev/null | tail -n 1 | cut -f 1
}

tell() {
    echo "torch $(installed): $1; $(size_mb) MB installed" >&2
}

case $(installed) in
    "${requirement#*==}" | "${requirement#*==}"+*)
        tell "kept as it is"
        exit 0
        ;;
esac

build=${TORCH:-auto}
case $build in
    cpu | cuda) ;;
    auto) if [ -e /dev/nvidiactl ] || command -v nvidia-smi >/dev/null; then build=cuda; else build=cpu; fi ;;
    *)
        echo "TORCH=$build is unknown; set it to cpu or cuda, or leave it out" >&2
        exit 2
        ;;
esac

if [ -n "${TORCH_INDEX_URL:-}" ]; then
    "$python" -m pip install --quiet --index-url "$TORCH_INDEX_URL" --no-deps "$requirement"
    tell "from $TORCH_INDEX_URL"
elif [ "$build" = cpu ] && [ "$(uname -s)" = Linux ] &&
    "$python" -m pip install --quiet --index-url "$cpu_index" --retries 1 --timeout 15 --no-deps "$requirement"; then
    tell "the build for CPUs, as there is no NVIDIA card (TORCH=cuda installs the other)"
else
    [ "$build" = cuda ] || echo "$cpu_index could not be used: torch comes from the default package index" >&2
    "$python" -m pip install --quiet -c "$here/../constraints.txt" "$requirement"
    tell "the default index's build, wanted for: $build"
fi
