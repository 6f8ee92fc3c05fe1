//! Which file refers to which, and the circles among them.

use std::collections::{BTreeMap, BTreeSet};

use crate::reader::{Module, Name};
use crate::source::{Crate, ModulePath};

/// How many imports of imports are followed.
const FARTHEST: usize = 12;

/// The target of a path.
enum Target {
    Module(ModulePath),
    /// An item of this module.
    Item(ModulePath),
}

/// References between two rooms of one folder: from, to, and the files and the name that show it.
type Edges = BTreeMap<ModulePath, BTreeMap<ModulePath, String>>;

impl Crate {
    /// The target of a path that stands in a module, if it is in this crate.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Target> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Target::Module(ModulePath::new()),
            "self" => Target::Module(from.to_vec()),
            "super" => Target::Module(from.split_last()?.1.to_vec()),
            name => self.look_up(from, name, depth)?,
        };
        while let (Target::Module(module), Some((name, more))) = (&at, rest.split_first()) {
            rest = more;
            at = match name.as_str() {
                "super" => Target::Module(module.split_last()?.1.to_vec()),
                "self" => continue,
                name => self.look_up(module, name, depth)?,
            };
        }
        Some(at)
    }

    /// The target of a name in a module. Follows imports to the item itself.
    fn look_up(&self, path: &[String], name: &str, depth: usize) -> Option<Target> {
        if depth > FARTHEST {
            return None;
        }
        let child: ModulePath = path.iter().cloned().chain([name.to_owned()]).collect();
        if self.modules.contains_key(&child) {
            return Some(Target::Module(child));
        }
        let module = self.modules.get(path)?;
        let meanings = module.names.get(name).into_iter().flatten();
        let mut found = meanings.filter_map(|meaning| match meaning {
            Name::Item => Some(Target::Item(path.to_vec())),
            // `use serde_json;` names itself.
            Name::Import(import) if import.len() == 1 && import[0] == name => None,
            Name::Import(import) => self.resolve(path, import, depth + 1),
        });
        found.next().or_else(|| {
            module.globs.iter().find_map(|glob| match self.resolve(path, glob, depth + 1)? {
                Target::Module(glob) if glob != path => self.look_up(&glob, name, depth + 1),
                _ => None,
            })
        })
    }

    /// The module that a reference of `from` leads to. A single name that is a module's may as well be a variable.
    fn target(&self, from: &[String], reference: &[String]) -> Option<ModulePath> {
        if let [.., name] = reference
            && let Some(name) = name.strip_suffix('!')
        {
            let file = self.macros.get(name)?;
            return self
                .modules
                .iter()
                .find(|(_, module)| module.file == *file)
                .map(|(path, _)| path.clone());
        }
        match self.resolve(from, reference, 0)? {
            Target::Module(_) if reference.len() == 1 => None,
            Target::Module(path) | Target::Item(path) => Some(path),
        }
    }

    /// The references between rooms, by the folder that they are in.
    fn edges(&self) -> BTreeMap<ModulePath, Edges> {
        let mut folders: BTreeMap<ModulePath, Edges> = BTreeMap::new();
        for (from, module) in &self.modules {
            for reference in &module.references {
                let Some(to) = self.target(from, &reference.path) else { continue };
                let Some(target) = self.modules.get(&to) else { continue };
                if reference.is_test && !target.is_test {
                    continue;
                }
                let Some((folder, a, b)) = apart(from, &to) else { continue };
                let shown = shown(module, target, &reference.path);
                folders.entry(folder).or_default().entry(a).or_default().entry(b).or_insert(shown);
            }
        }
        folders
    }

    /// A text for each circle.
    pub fn circles(&self) -> Vec<String> {
        self.edges().values().flat_map(circles).collect()
    }
}

fn shown(from: &Module, to: &Module, path: &[String]) -> String {
    format!("{} -> {} ({})", from.file, to.file, path.join("::"))
}

/// The folder in which two modules are apart, and the room of each; `None` where one is above the other.
fn apart(from: &[String], to: &[String]) -> Option<(ModulePath, ModulePath, ModulePath)> {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let room = |path: &[String]| path.get(..=common).map(<[String]>::to_vec);
    Some((from[..common].to_vec(), room(from)?, room(to)?))
}

fn circles(edges: &Edges) -> Vec<String> {
    let mut told: BTreeSet<ModulePath> = BTreeSet::new();
    let mut found = Vec::new();
    for start in edges.keys() {
        if told.contains(start) {
            continue;
        }
        if let Some(way) = way_back(edges, start) {
            told.extend(way.iter().map(|(room, _)| room.clone()));
            found.push(way.into_iter().map(|(_, shown)| shown).collect::<Vec<_>>().join("\n    "));
        }
    }
    found
}

/// The shortest way from a room back to itself: each room with the reference that leads on.
fn way_back(edges: &Edges, start: &ModulePath) -> Option<Vec<(ModulePath, String)>> {
    let mut ways = vec![(start.clone(), Vec::new())];
    let mut seen = BTreeSet::new();
    let mut next = 0;
    while let Some((room, way)) = ways.get(next).cloned() {
        next += 1;
        for (to, shown) in edges.get(&room).into_iter().flatten() {
            let way: Vec<_> = way.iter().cloned().chain([(room.clone(), shown.clone())]).collect();
            if to == start {
                return Some(way);
            }
            if seen.insert(to.clone()) {
                ways.push((to.clone(), way));
            }
        }
    }
    None
}
