//! The bill of materials: what the schema of CycloneDX 1.5 asks for, and nothing that Cargo.lock does not have.

use super::support::folder::Folder;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

fn bill(folder: &Folder, name: &str) -> String {
    let file = folder.path().join(name);
    let made = Command::new("node").arg("scripts/sbom.mjs").arg(&file).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::read_to_string(file).unwrap()
}

/// `name@version` of Cargo.lock with its checksum; ours has none.
fn locked() -> BTreeMap<String, Option<String>> {
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let field = |package: &str, name: &str| {
        let start = format!("{name} = \"");
        package.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix('"').map(ToOwned::to_owned))
    };
    let packages = lock.split("[[package]]").skip(1);
    packages.map(|p| (format!("{}@{}", field(p, "name").unwrap(), field(p, "version").unwrap()), field(p, "checksum"))).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[test]
fn r86_the_bill_of_materials_is_cyclonedx_and_agrees_with_the_lock() {
    let folder = Folder::new();
    let written = bill(&folder, "a.json");
    assert_eq!(written, bill(&folder, "b.json"), "the same lock, the same bytes");
    let bill: Value = serde_json::from_str(&written).unwrap();

    assert_eq!((text(&bill, "bomFormat"), text(&bill, "specVersion"), &bill["version"]), ("CycloneDX", "1.5", &1.into()));
    let serial = text(&bill, "serialNumber").strip_prefix("urn:uuid:").unwrap();
    assert!(serial.parse::<uuid::Uuid>().is_ok(), "{serial}");
    let application = &bill["metadata"]["component"];
    assert_eq!((text(application, "type"), text(application, "name"), text(application, "version")), ("application", "tollgate", env!("CARGO_PKG_VERSION")));

    let locked = locked();
    let components = bill["components"].as_array().unwrap();
    let mut refs = BTreeSet::from([text(application, "bom-ref")]);
    for component in components {
        let (name, version) = (text(component, "name"), text(component, "version"));
        assert_eq!(text(component, "type"), "library");
        assert!(["required", "excluded"].contains(&text(component, "scope")), "{name}");
        assert_eq!(text(component, "purl"), format!("pkg:cargo/{name}@{version}"));
        let checksum = locked.get(&format!("{name}@{version}")).unwrap_or_else(|| panic!("{name} {version} is not in Cargo.lock"));
        assert_eq!(component["hashes"][0]["content"].as_str(), checksum.as_deref(), "{name}");
        assert_eq!(text(&component["hashes"][0], "alg"), "SHA-256");
        let licence = &component["licenses"][0];
        assert!(licence["expression"].is_string() != licence["license"]["name"].is_string(), "{name}: {licence}");
        assert!(refs.insert(text(component, "bom-ref")), "{name} {version} stands there twice");
    }
    for line in bill["dependencies"].as_array().unwrap() {
        let on = line["dependsOn"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        for named in on.chain([text(line, "ref")]) {
            assert!(refs.contains(named), "{named} is no component");
        }
    }

    let of = |part: &str| -> BTreeSet<&str> {
        let is_in = |c: &&Value| c["properties"].as_array().unwrap().iter().any(|p| text(p, "value") == part) && text(c, "scope") == "required";
        components.iter().filter(is_in).map(|c| text(c, "name")).collect()
    };
    assert!(of("server").is_superset(&BTreeSet::from(["axum", "sqlx", "argon2", "aes-gcm", "leptos"])));
    assert!(of("browser").is_superset(&BTreeSet::from(["leptos", "wasm-bindgen"])) && !of("browser").contains("sqlx"));
    let tests_only = ["insta", "criterion", "jsonschema"];
    assert!(!components.iter().any(|c| tests_only.contains(&text(c, "name"))), "what only tests use is not in it");
}
