//! No circles: in each folder the files, each with the folder of its name, refer to one another one way only. A file
//! and its folder may refer to one another: they are one thing in several files.
//!
//! The test sees paths and imports, in macros too; an import of an import counts for the file that has the item itself.
//! It does not see calls of methods and uses of fields, whose types have no path. Code for tests may refer to
//! everything.

use std::path::Path;

use crate::source::Crate;

#[test]
fn no_files_refer_to_one_another_in_a_circle() {
    let (mut modules, mut circles) = (0, Vec::new());
    for found in crate::crates() {
        modules += found.modules.len();
        circles.extend(found.circles());
    }
    assert!(modules > 800, "only {modules} modules were read");
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), circles.join("\n"));
}

/// The circles of a crate that is made up of files and their texts. Its root is `lib.rs`.
fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let read = |file: &Path| {
        files.iter().find(|(name, _)| Path::new(name) == file).map(|(_, text)| (*text).to_owned())
    };
    Crate::read(Path::new("lib.rs"), &read).circles()
}

const ROOT: (&str, &str) = ("lib.rs", "mod a; mod b;");

#[test]
fn two_files_that_import_from_one_another_are_a_circle_whose_places_are_told() {
    let told = circles(&[
        ROOT,
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B; fn f() { let _ = super::a::A::default(); }"),
    ]);
    assert_eq!(told, ["a.rs -> b.rs (crate::b::B)\n    b.rs -> a.rs (super::a::A::default)"]);
}

#[test]
fn one_way_is_none_and_neither_is_a_file_with_its_parent() {
    let b = ("b.rs", "pub struct B;");
    assert_eq!(circles(&[ROOT, ("a.rs", "use crate::b::B; pub struct A(B);"), b]), [""; 0]);
    let parent = ("a.rs", "mod c; use self::c::C; pub struct A(C);");
    assert_eq!(circles(&[ROOT, parent, ("a/c.rs", "pub struct C(Box<super::A>);"), b]), [""; 0]);
}

#[test]
fn what_hides_a_reference_does_not_hide_the_circle() {
    let b = ("b.rs", "use crate::a::A; pub struct B(A);");
    for a in [
        // Through the parent, by name and by everything.
        "pub struct A; fn f(_: super::B) {}",
        "use super::*; pub struct A; fn f(_: B) {}",
        // By the name of the module, and by another name.
        "use crate::b; pub struct A; fn f(_: b::B) {}",
        "use crate::b as other; pub struct A; fn f() { other::g() }",
        // Within a macro, and in a function's body.
        "pub struct A; fn f() { println!(\"{:?}\", crate::b::B) }",
        "pub struct A; fn f() { use crate::b::B; let _ = B; }",
    ] {
        let told = circles(&[("lib.rs", "mod a; mod b; pub use b::B;"), ("a.rs", a), b]);
        assert_eq!(told.len(), 1, "{a}: {told:?}");
    }
}

#[test]
fn a_circle_of_folders_is_one_though_no_two_files_are() {
    let files = [
        ROOT,
        ("a.rs", "mod one; mod two;"),
        ("a/one.rs", "use crate::b::B;"),
        ("a/two.rs", "pub struct Two;"),
        ("b.rs", "pub struct B(crate::a::two::Two);"),
    ];
    assert_eq!(
        circles(&files),
        ["a/one.rs -> b.rs (crate::b::B)\n    b.rs -> a/two.rs (crate::a::two::Two)"]
    );
}

#[test]
fn a_circle_of_three_is_told_whole() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        ("b.rs", "pub fn b() { crate::c::c() }"),
        ("c.rs", "pub fn c() { crate::a::a() }"),
    ];
    let told = circles(&files);
    assert!(matches!(&told[..], [one] if one.lines().count() == 3), "{told:?}");
}

#[test]
fn a_macro_counts_for_the_file_that_has_it() {
    let a = ("a.rs", "macro_rules! say { () => { $crate::b::out() } }");
    assert_eq!(circles(&[ROOT, a, ("b.rs", "pub fn out() {} fn f() { say!() }")]).len(), 1);
    assert_eq!(circles(&[ROOT, a, ("b.rs", "pub fn out() {}")]), [""; 0]);
}

#[test]
fn tests_may_look_at_everything_but_at_one_another_in_a_circle() {
    let b = ("b.rs", "use crate::a::A; pub struct B(A);");
    for a in [
        "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
        "pub struct A; #[cfg(test)] use crate::b::B;",
        "pub struct A; #[cfg(test)] fn f(_: crate::b::B) {}",
    ] {
        assert_eq!(circles(&[ROOT, ("a.rs", a), b]), [""; 0], "{a}");
    }
    let root = ("lib.rs", "#[cfg(test)] mod a; #[cfg(test)] mod b;");
    assert_eq!(circles(&[root, ("a.rs", "pub struct A(crate::b::B);"), b]).len(), 1);
}
