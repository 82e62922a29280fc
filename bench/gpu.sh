#!/bin/sh
# Everything that waits for a GPU, in one go of a few minutes: its tests, then the bench. Needs no network.
#   sh bench/gpu.sh > gpu.txt 2>&1
cd "$(dirname "$0")/.." || exit 1
PYTHONPATH="src:tests${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH
python -c 'import torch; print(torch.__version__, torch.version.cuda, torch.cuda.get_device_name())' || exit 1
python -m pytest -q -n 0 -m cuda tests/cuda
tested=$?
python bench/gpu.py --repeats 1 --seconds 2 --networks resnet-20 vgg16 resnet-50 || exit 1
exit $tested
