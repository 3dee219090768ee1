#!/bin/sh
# Fills fuzz/corpus/{parse,flip} with tiny JPEGs of every kind the lossless flip knows. Needs jpegtran for the kinds
# that the generator cannot make (Debian: libjpeg-turbo-progs); leaves those out without it.
set -eu
cd "$(dirname "$0")/.."
cargo build --quiet --profile quick --no-default-features --example make-jpeg
make=target/quick/examples/make-jpeg
out=fuzz/corpus/parse
mkdir -p "$out" fuzz/corpus/flip
for sampling in 4:4:4 4:2:2 4:4:0 4:2:0 4:1:1 4:1:0; do
    name=$(echo "$sampling" | tr -d :)
    for size in "width=8 height=8" "width=32 height=32" "width=64 height=48" "width=96 height=96" "width=40 height=24"; do
        for kind in "" optimise progressive "restart=1" "restart=2 progressive" "color=gray" "color=ycck"; do
            file="$out/$name-$(echo "$size-$kind" | tr -c 'a-z0-9\n' _).jpg"
            # shellcheck disable=SC2086 # Both are lists of words.
            $make "$file" sampling=$sampling quality=60 $size $kind
        done
    done
    command -v jpegtran >/dev/null || continue
    echo "0; 1 2;" >"$out/script"
    jpegtran -scans "$out/script" "$out/$name-width_32_height_32_.jpg" >"$out/$name-scans.jpg"
    jpegtran -progressive "$out/$name-width_32_height_32_.jpg" >"$out/$name-refined.jpg"
    jpegtran -progressive -restart 3B "$out/$name-width_64_height_48_.jpg" >"$out/$name-refined-restarts.jpg"
    jpegtran -optimize -restart 1 "$out/$name-width_64_height_48_.jpg" >"$out/$name-optimised-restarts.jpg"
    rm "$out/script"
done
cp "$out"/*.jpg fuzz/corpus/flip/
echo "$(ls "$out" | wc -l) seeds"
