"""The pipeline as each system's own documentation would have it: one file each, `PROGRAM BOOTSTRAP RUN SOURCE MIDDLE
OUTPUT DIRECTORY [GUARANTEE]`, run until it is ended.
"""
