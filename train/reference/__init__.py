"""An independent PyTorch reading of the model specification; official tensor names throughout."""
