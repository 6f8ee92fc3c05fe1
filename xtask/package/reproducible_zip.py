"""Writes a zip that is the same, byte for byte, for the same content: sorted, without times, with the mode of each file.

Arguments: the folder, the zip, and the names (below the folder) of what is executable.
"""

import pathlib
import sys
import zipfile

folder, target, executables = pathlib.Path(sys.argv[1]), sys.argv[2], set(sys.argv[3:])
files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
with zipfile.ZipFile(target, "w") as package:
    for name in files:
        # The earliest time that the format can say.
        entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
        entry.create_system = 3
        entry.external_attr = (0o100755 if name in executables else 0o100644) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        package.writestr(entry, (folder / name).read_bytes(), compresslevel=9)
