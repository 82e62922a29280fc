"""The augmentations, one file each: whole batches at once, every image drawn apart.

The draws are made on the CPU from the generator that is passed, so that every device gets the same images. Pixels
may be of any type; crops and flips belong before normalisation, where a padding of zeros is black.
"""
