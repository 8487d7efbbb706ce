#!/usr/bin/env bash
# Fetches libtorch for the deep tier (cargo feature `bert`) into the user's cache and prints its folder.
# Safe to run again: it does nothing when all is there.
#
#   export LIBTORCH=$(enrich/fetch/libtorch.sh) LIBTORCH_CXX11_ABI=0
#
# The wheel links its CPU library against CUDA's profiler and runtime, which a machine without a GPU
# neither has nor calls. Both are replaced by empty libraries; a call would answer with an error code.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
home=${XDG_CACHE_HOME:-$HOME/.cache}/echolot/libtorch
version=2.4.0
say() { printf 'libtorch: %s\n' "$*" >&2; }

if [ -e "$home/$version/build-version" ]; then
    echo "$home/$version"
    exit 0
fi
[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || {
    say "error: the deep tier runs on Linux x86_64 only, this is $(uname -s) $(uname -m)"
    say "  build without the feature bert; the built-in model does without libtorch"
    exit 1
}
mkdir -p "$home"
exec 9>"$home/.lock"
flock 9
if [ -e "$home/$version/build-version" ]; then
    echo "$home/$version"
    exit 0
fi
stage=$(mktemp -d "$home/.stage-XXXXXX")
trap 'rm -rf "$stage"' EXIT

say "fetching torch $version, 797 MB, of which 524 MB are kept"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --platform manylinux1_x86_64 --python-version 3.11 --implementation cp --abi cp311 \
    --dest "$stage" --requirement "$here/torch.txt" >&2 || {
    say "error: pip cannot fetch the wheel that $here/torch.txt names"
    say "  behind a mirror, set PIP_INDEX_URL; a libtorch $version of your own goes by LIBTORCH=FOLDER"
    exit 1
}
tree=$stage/tree
mkdir "$tree"
python3 - "$stage"/torch-*.whl "$tree" <<'PYTHON'
import pathlib, re, shutil, sys, zipfile

wheel, tree = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
wanted = re.compile(r"torch/(include/.+|lib/(?:libtorch_cpu\.so|libc10\.so|libgomp-[^/]+))$")
for name in wheel.namelist():
    if (found := wanted.match(name)) and not name.endswith("/"):
        target = tree / found[1]
        target.parent.mkdir(parents=True, exist_ok=True)
        with wheel.open(name) as packed, open(target, "wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
PYTHON

# Every symbol that libtorch asks LIBRARY for, under the version it asks for.
stand_in() { # LIBRARY
    local symbols
    symbols=$(nm -D --undefined-only "$tree/lib/libtorch_cpu.so" | sed -n "s/.* U \([^@]*\)@$1\$/\1/p" | sort -u)
    # 999: cudaErrorUnknown
    printf 'int %s(void) { return 999; }\n' $symbols > "$stage/$1.c"
    { echo "$1 { global:" && printf '%s;\n' $symbols && echo "local: *; };"; } > "$stage/$1.map"
    cc -shared -fPIC -Wl,-soname,"$1" -Wl,--version-script="$stage/$1.map" -o "$tree/lib/$1" "$stage/$1.c"
}
stand_in libcudart.so.12
stand_in libcupti.so.12

# What tch links against: nothing but the two real libraries.
cc -shared -fPIC -x c /dev/null -o "$tree/lib/libtorch.so" -Wl,-soname,libtorch.so \
    -L"$tree/lib" -Wl,--no-as-needed -ltorch_cpu -lc10 -Wl,-rpath,'$ORIGIN' -Wl,--allow-shlib-undefined
echo "$version" > "$tree/build-version"
mv --no-target-directory "$tree" "$home/$version"
say "installed in $home/$version"
echo "$home/$version"
