"""Synthetic speech: voices through their C libraries, answer and question sets, augmentation."""
