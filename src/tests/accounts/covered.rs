//! Which requirements (R) and scenarios (S) of accounts have a test that names them: `s49_r29_a_step_is_accepted_once`. Those without one
//! stand in `without_a_test.txt`, and that list only shrinks: an id that loses its last test fails here, and so does one that has a
//! test and still stands in the list.

use std::{collections::BTreeSet, fs, path::Path};

/// The last numbers of the two lists.
const ALL: [(char, u32); 2] = [('r', 86), ('s', 98)];

/// The ids that a name begins with.
fn ids(name: &str) -> impl Iterator<Item = String> {
    let is_id = |part: &&str| part.starts_with(['r', 's']) && part.len() > 1 && part[1..].bytes().all(|b| b.is_ascii_digit());
    name.split('_').take_while(is_id).map(ToOwned::to_owned).collect::<Vec<_>>().into_iter()
}

/// The ids in the names of all tests below `src`.
fn covered(root: &Path) -> BTreeSet<String> {
    let files = walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok).filter(|entry| entry.path().extension().is_some_and(|x| x == "rs"));
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file.path()).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let tests = lines.windows(2).filter(|pair| pair[0].starts_with("#[") && pair[0].contains("test")).map(|pair| pair[1]);
        found.extend(tests.filter_map(|line| line.split("fn ").nth(1)).flat_map(ids));
    }
    found
}

#[test]
fn the_list_of_ids_without_a_test_only_shrinks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let list = root.join("tests/accounts/without_a_test.txt");
    let listed: BTreeSet<String> = fs::read_to_string(&list).unwrap().split_whitespace().map(ToOwned::to_owned).collect();
    let covered = covered(&root);
    let without: BTreeSet<String> =
        ALL.iter().flat_map(|(kind, last)| (1..=*last).map(move |n| format!("{kind}{n}"))).filter(|id| !covered.contains(id)).collect();
    let lost: Vec<_> = without.difference(&listed).collect();
    let gained: Vec<_> = listed.difference(&without).collect();
    assert!(lost.is_empty(), "no test names these any more: {lost:?}");
    assert!(gained.is_empty(), "these have a test now, or never existed: take them out of {}: {gained:?}", list.display());
}

#[test]
fn ids_are_read_from_the_beginning_of_a_name() {
    assert_eq!(ids("s49_r29_a_step_r30(").collect::<Vec<_>>(), ["s49", "r29"]);
    assert_eq!(ids("requests_s1(").count(), 0);
}
