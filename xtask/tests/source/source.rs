//! Reads a crate as the compiler finds it: its modules with their files.

use std::collections::BTreeMap;
use std::path::Path;

use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta};

use crate::reader::{self, Module};

/// A module by its names from the crate's root, which itself has none.
pub type ModulePath = Vec<String>;

/// Where the text of a file comes from; `None` for a file that does not exist.
pub type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// A library, a program, or a test with modules.
#[derive(Debug, Default)]
pub struct Crate {
    pub modules: BTreeMap<ModulePath, Module>,
    /// The file of each `macro_rules!`.
    pub macros: BTreeMap<String, String>,
}

impl Crate {
    /// Reads a crate from its root file.
    ///
    /// # Panics
    /// When a file is no Rust, or a module has none.
    pub fn read(root: &Path, read: Read<'_>) -> Self {
        let mut found = Self::default();
        let folder = root.parent().unwrap_or(Path::new(""));
        found.file(root, folder, ModulePath::new(), false, read);
        found
    }

    fn file(&mut self, file: &Path, folder: &Path, path: ModulePath, is_test: bool, read: Read<'_>) {
        let text = read(file).unwrap_or_else(|| panic!("there is no {}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.module(file, folder, path, is_test, &parsed.items, read);
    }

    /// `folder`: where the files of its children are.
    fn module(
        &mut self,
        file: &Path,
        folder: &Path,
        path: ModulePath,
        is_test: bool,
        items: &[Item],
        read: Read<'_>,
    ) {
        let shown = file.display().to_string();
        for item in items {
            match item {
                Item::Mod(child) => self.child(file, folder, &path, is_test, child, read),
                Item::Macro(item) if item.mac.path.is_ident("macro_rules") => {
                    let name = item.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                    self.macros.insert(name, shown.clone());
                }
                _ => {}
            }
        }
        self.modules.insert(path, reader::read(shown, is_test, items));
    }

    fn child(
        &mut self,
        file: &Path,
        folder: &Path,
        parent: &[String],
        is_test: bool,
        child: &ItemMod,
        read: Read<'_>,
    ) {
        let name = child.ident.to_string();
        let (below, is_test) = (folder.join(&name), is_test || reader::is_for_tests(&child.attrs));
        let path: ModulePath = parent.iter().chain([&name]).cloned().collect();
        if let Some((_, items)) = &child.content {
            return self.module(file, &below, path, is_test, items, read);
        }
        let usual = [folder.join(format!("{name}.rs")), below.join("mod.rs")];
        let own = match named_file(&child.attrs) {
            Some(named) => Some(file.with_file_name(named)),
            None => usual.into_iter().find(|file| read(file).is_some()),
        };
        let own = own.unwrap_or_else(|| panic!("module {} has no file", path.join("::")));
        self.file(&own, &below, path, is_test, read);
    }
}

/// The value of `#[path = "..."]`.
fn named_file(attributes: &[Attribute]) -> Option<String> {
    let path = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let Meta::NameValue(pair) = &path.meta else { return None };
    match &pair.value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
