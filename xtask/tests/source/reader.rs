//! Reads one module: the names that it has, and the paths that its code holds, those in macros included.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, ItemUse, Macro, UseTree};

/// The meaning of a name in a module. A name may have several meanings, as a type and a function can.
#[derive(Debug, Clone)]
pub enum Name {
    /// An item of the module itself.
    Item,
    /// An import, by its path as it is written.
    Import(Vec<String>),
}

/// A path that a module's code holds, as it is written; the name of a macro ends with `!`.
#[derive(Debug)]
pub struct Reference {
    pub path: Vec<String>,
    /// Whether it is compiled for tests only.
    pub is_test: bool,
}

#[derive(Debug, Default)]
pub struct Module {
    /// From the repository's root.
    pub file: String,
    /// Whether the whole module is compiled for tests only.
    pub is_test: bool,
    pub names: BTreeMap<String, Vec<Name>>,
    /// Paths of `use path::*`.
    pub globs: Vec<Vec<String>>,
    pub references: Vec<Reference>,
}

/// Reads the items of a module. Its children are modules of their own.
pub fn read(file: String, is_test: bool, items: &[Item]) -> Module {
    let module = Module { file, is_test, ..Module::default() };
    let mut reader = Reader { module, depth_of_tests: usize::from(is_test) };
    for item in items.iter().filter(|item| !matches!(item, Item::Mod(_))) {
        if let Some(name) = name_of(item) {
            reader.module.names.entry(name.to_string()).or_default().push(Name::Item);
        }
        reader.visit_item(item);
    }
    reader.module
}

/// Whether an item is there for tests only: `#[cfg(test)]`, or a test itself.
pub fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Ok(list) = attribute.meta.require_list() else { return attribute.path().is_ident("test") };
        attribute.path().is_ident("cfg") && list.tokens.to_string() == "test"
    })
}

fn name_of(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

struct Reader {
    module: Module,
    depth_of_tests: usize,
}

impl Reader {
    fn refer(&mut self, path: Vec<String>) {
        self.module.references.push(Reference { path, is_test: self.depth_of_tests > 0 });
    }

    fn import(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        let (name, path) = match tree {
            UseTree::Path(tree) => return self.import(&with(&tree.ident), &tree.tree),
            UseTree::Group(tree) => return tree.items.iter().for_each(|item| self.import(before, item)),
            UseTree::Glob(_) => return self.module.globs.push(before.to_vec()),
            UseTree::Name(tree) if tree.ident == "self" => (before.last().cloned(), before.to_vec()),
            UseTree::Name(tree) => (Some(tree.ident.to_string()), with(&tree.ident)),
            UseTree::Rename(tree) if tree.ident == "self" => (Some(tree.rename.to_string()), before.to_vec()),
            UseTree::Rename(tree) => (Some(tree.rename.to_string()), with(&tree.ident)),
        };
        let meanings = self.module.names.entry(name.unwrap_or_default()).or_default();
        meanings.push(Name::Import(path.clone()));
        self.refer(path);
    }

    /// Every `a::b::c` of a macro's arguments.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        // After `.` comes a field or a method, which is no path.
        let (mut colons, mut is_member) = (0, false);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 || path.is_empty() {
                        self.end(&mut path);
                    }
                    if !is_member {
                        path.push(ident.to_string());
                    }
                    (colons, is_member) = (0, false);
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(&mut path);
                    (colons, is_member) = (0, false);
                    self.tokens(group.stream());
                }
                other => {
                    self.end(&mut path);
                    colons = 0;
                    is_member = other.to_string() == ".";
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        if !path.is_empty() {
            self.refer(std::mem::take(path));
        }
    }
}

impl Visit<'_> for Reader {
    fn visit_item(&mut self, item: &Item) {
        let is_test = is_for_tests(attributes(item));
        self.depth_of_tests += usize::from(is_test);
        visit::visit_item(self, item);
        self.depth_of_tests -= usize::from(is_test);
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.import(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        self.refer(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, used: &Macro) {
        let mut path: Vec<String> =
            used.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let Some(name) = path.last_mut() {
            name.push('!');
        }
        self.refer(path);
        self.tokens(used.tokens.clone());
    }
}
