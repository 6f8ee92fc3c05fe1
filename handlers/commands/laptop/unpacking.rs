//! Unpacks a package as Azure mounts it: the same files with the same modes, without any change.

use std::fs::File;
use std::path::Path;

use zip::ZipArchive;

/// The files that every package has beside its function folders.
const EXPECTED: [&str; 3] = ["host.json", "policysync", crate::settings::CONFIGURATION_FILE];

/// Unpacks a package into `folder`, which is empty.
///
/// # Errors A text for a person, which names what cannot be read, or the file that the package lacks.
pub fn unpack(package: &Path, folder: &Path) -> Result<(), String> {
    let shown = package.display();
    let file = File::open(package).map_err(|error| format!("the package {shown} cannot be read: {error}"))?;
    let mut archive =
        ZipArchive::new(file).map_err(|error| format!("the package {shown} is no zip: {error}"))?;
    if let Some(missing) = EXPECTED.iter().find(|name| archive.index_for_name(name).is_none()) {
        return Err(format!("{shown} is no package of this app: it has no {missing} at its root"));
    }
    archive.extract(folder).map_err(|error| format!("the package {shown} could not be unpacked: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn package(folder: &Path, names: &[&str]) -> std::path::PathBuf {
        let path = folder.join("policysync.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for name in names {
            let mode = if *name == "policysync" { 0o755 } else { 0o644 };
            zip.start_file(*name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
            zip.write_all(name.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        path
    }

    #[test]
    fn modes_are_those_of_the_package() {
        let (made, unpacked) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let names = ["host.json", "policysync", "policysync.toml", "assign-policy/function.json"];
        unpack(&package(made.path(), &names), unpacked.path()).unwrap();
        for name in names {
            let mode = unpacked.path().join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o111 != 0, name == "policysync", "{name} has mode {mode:o}");
        }
    }

    #[test]
    fn what_is_no_package_is_told_by_what_it_lacks() {
        let (made, unpacked) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let zip = package(made.path(), &["host.json", "policysync.toml"]);
        assert!(unpack(&zip, unpacked.path()).unwrap_err().contains("it has no policysync at its root"));
        let text = made.path().join("host.json");
        std::fs::write(&text, "{}").unwrap();
        assert!(unpack(&text, unpacked.path()).unwrap_err().contains("is no zip"));
    }
}
