//! The files of the repository that people write.

use std::fs;
use std::path::{Path, PathBuf};

/// Endings of the files that cite or are cited.
const TEXTS: [&str; 11] =
    ["rs", "md", "py", "toml", "bicep", "bicepparam", "yaml", "yml", "html", "css", "sh"];
/// Folders with files of others, or made from ours.
const LEFT_OUT: [&str; 5] = [".git", "target", "node_modules", "__pycache__", ".venv"];

/// A file by its path from the root, with slashes.
#[derive(Debug, Clone)]
pub struct File {
    pub path: String,
}

impl File {
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned() }
    }

    pub fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// The file's name, when it is a page.
    pub fn page_name(&self) -> Option<&str> {
        let name = self.path.rsplit('/').next()?;
        (self.extension() == "md").then_some(name)
    }

    /// The file's name, when it is a page that can be cited.
    pub fn own_page(&self) -> Option<&str> {
        self.page_name().filter(|_| self.path.starts_with("docs/"))
    }

    pub fn is_fact(&self) -> bool {
        self.extension() == "md" && self.path.starts_with("docs/facts/")
    }
}

pub struct Tree {
    root: PathBuf,
    files: Vec<File>,
}

impl Tree {
    pub fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
        let mut files = Vec::new();
        walk(&root, "", &mut files);
        Self { root, files }
    }

    pub fn texts(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| TEXTS.contains(&file.extension()))
    }

    pub fn read(&self, file: &File) -> String {
        String::from_utf8_lossy(&fs::read(self.root.join(&file.path)).unwrap()).into_owned()
    }

    /// Whether a file has this path, in which `*` stands for any text.
    pub fn matches(&self, pattern: &str) -> bool {
        let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
        let is_exact = !pattern.contains('*');
        let fits = |path: &str| match path.strip_prefix(before) {
            Some(rest) if is_exact => rest.is_empty(),
            Some(rest) => rest.ends_with(after) && !rest.contains('/'),
            None => false,
        };
        self.files.iter().any(|file| fits(&file.path))
    }
}

fn walk(root: &Path, folder: &str, files: &mut Vec<File>) {
    let mut entries: Vec<_> = fs::read_dir(root.join(folder)).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !LEFT_OUT.contains(&name.as_str()) {
            walk(root, &path, files);
        } else if kind.is_file() {
            files.push(File { path });
        }
    }
}
