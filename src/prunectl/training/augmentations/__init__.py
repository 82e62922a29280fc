"""The augmentations, one file each: whole batches at once, every image drawn apart.

The draws are made on the CPU from the generator that is passed, so that every device gets the same images; what they
choose is computed on the device, which nothing waits for. Pixels
may be of any type; crops and flips belong before normalisation, where a padding of zeros is black.
"""
