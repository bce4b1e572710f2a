"""The commands of `liuyu`, one file each."""
