//! What there is to type into, as the product itself says it: the text fields in the sources of its views, and its server functions. One
//! that is new, and that no walk finds on a page, fails here.

use std::{collections::BTreeSet, path::Path};

pub const FUNCTIONS: &str = "/fn/tollgate/";

/// Whose walk finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Stranger,
    Developer,
    Operator,
}

/// How files of views (with the name of one field behind them) and server functions begin that strangers fill in.
const OF_STRANGERS: [&str; 12] = [
    "accounts/pages/forgot_password.rs",
    "accounts/pages/reset_password.rs",
    "accounts/pages/sign_in.rs",
    "accounts/pages/sign_in_code.rs",
    "accounts/pages/sign_up.rs",
    "accounts/pages/verify_email.rs",
    "accounts/api/joining/",
    "accounts/api/passkeys/sign_up_with_passkey",
    "accounts/api/passwords/forgot_password",
    "accounts/api/passwords/open_reset",
    "accounts/api/passwords/reset_password",
    "accounts/api/signing_in/sign_in",
];

/// The same of operators. All else is everybody's who is signed in, and so what is new is, too.
const OF_OPERATORS: [&str; 16] = [
    "admin/",
    "plans/",
    "blocks/",
    "accounts/api/acting/",
    "accounts/api/policies/",
    "accounts/components/acting.rs",
    "accounts/pages/policies.rs",
    "accounts/pages/step_up.rs pin",
    "keys/api/add_credits",
    "keys/api/clear_leaks",
    "keys/api/mark_leaked",
    "keys/api/set_limit",
    "keys/components/leak.rs",
    "keys/components/limit.rs",
    "keys/components/over.rs",
    "keys/pages/key_parts.rs units",
];

/// Server functions that nobody types anything for: they read, or are called by a button, ticks and choices alone.
const NOTHING_TYPED: &[(&str, &str)] = &[
    ("accounts/api/acting/", "stop_acting"),
    ("accounts/api/email_change/", "cancel_email_change undo_email_change"),
    ("accounts/api/factors/", "start_totp my_totp_setup remove_totp make_recovery_codes finish_recovery_codes my_new_codes keep_factors stoppable_reset"),
    ("accounts/api/joining/", "before_sign_in before_sign_up"),
    ("accounts/api/leaving/", "deactivate confirm_deletion come_back ask_export my_danger opened_links"),
    ("accounts/api/openid/", "continue_with link_with prove_with my_way_onward finish_with my_pending_link confirm_link unlink"),
    ("accounts/api/passkeys/", "ask_passkey ask_passkey_of_sign_up sign_in_with_passkey start_passkey my_new_passkey remove_passkey"),
    ("accounts/api/passwords/", "unlock not_me"),
    ("accounts/api/policies/", "read_policies"),
    ("accounts/api/profile/", "remove_picture my_account my_profile user"),
    ("accounts/api/programs/", "waiting_program approve_program deny_program"),
    ("accounts/api/sessions/", "end_session end_sessions my_security my_sessions"),
    ("accounts/api/signing_in/", "pending_sign_in my_step_up sign_out"),
    (
        "admin/api/",
        "read_overview list_accounts read_account enable_account unban_account unlock_account take_picture list_bans lift_ban end_session \
         end_sessions send_reset_link list_keys list_apis read_api list_refusals list_jobs retry_job list_templates send_test_mail",
    ),
    ("admin/api/fields/", "list_fields delete_field"),
    ("admin/api/imports/", "read_account_import run_account_import"),
    ("admin/api/invites/", "list_invites resend_invite cancel_invite"),
    ("admin/api/limits/", "set_account_grants"),
    ("admin/api/many/", "preview_many_keys preview_many_accounts"),
    ("admin/api/parts/", "remove_route delete_bundle"),
    ("blocks/api/", "read_blocks lift_block"),
    ("exports/api/", "read_exports create_export delete_export"),
    (
        "keys/api/",
        "list_keys key_detail fresh_secret hide_secret turn_off_signing fresh_signing_secret hide_signing_secret extend_secret \
         try_call narrow_key drop_secret preview_many save_leak_choice read_batch read_import run_import",
    ),
    ("notices/api/", "my_notices remove_alert_rule"),
    ("plans/api/", "read_plans delete_plan take_plan"),
    ("plans/api/grants/", "set_plan_grants set_group_grants"),
    ("plans/api/groups/", "read_groups delete_group take_from_group"),
    ("site/api/", "read_home read_status open_mailbox"),
    ("usage/api/", "report_usage report_errors list_refusals"),
];

impl Whose {
    fn of(what: &str) -> Self {
        let is_among = |all: &[&str]| all.iter().any(|start| what.starts_with(*start));
        match (is_among(&OF_STRANGERS), is_among(&OF_OPERATORS)) {
            (true, _) => Self::Stranger,
            (_, true) => Self::Operator,
            _ => Self::Developer,
        }
    }
}

/// A text field in the source of a view; what is only known when it is drawn is none.
#[derive(Debug)]
struct Written {
    file: String,
    label: Option<String>,
    name: Option<String>,
}

impl Written {
    /// As the lists above name it.
    fn place(&self) -> String {
        format!("{} {}", self.file, self.name.as_deref().unwrap_or_default())
    }

    fn is(&self, (label, name): &(String, String)) -> bool {
        self.label.as_ref().is_none_or(|known| known == label) && self.name.as_ref().is_none_or(|known| known == name)
    }
}

/// The components of `ui` that a person types into.
const COMPONENTS: [&str; 4] = ["<TextField ", "<PasswordField ", "<TextArea ", "<SearchField "];

/// Those of the gallery show what there is, and go nowhere.
const GALLERY: &str = "site/pages/gallery/";

fn written() -> Vec<Written> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).into_iter().filter_map(Result::ok).filter(|e| e.path().extension().is_some_and(|x| x == "rs"));
    let mut found = Vec::new();
    for entry in files {
        let file = entry.path().strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        if file.starts_with("tests/") || file.starts_with(GALLERY) {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        found.extend(fields_in(&file, &code.join(" ")));
    }
    found
}

fn fields_in(file: &str, code: &str) -> Vec<Written> {
    let mut found = Vec::new();
    for component in COMPONENTS {
        for rest in code.split(component).skip(1) {
            let field = format!(" {}", rest.split("/>").next().unwrap_or_default());
            if field.contains(" readonly=true") {
                continue;
            }
            // A search field has its name unless it is given another one, and its label stands around it.
            let is_search = component == "<SearchField ";
            let name = literal(&field, "name").or_else(|| is_search.then(|| "q".to_owned()));
            found.push(Written { file: file.to_owned(), label: literal(&field, "label").filter(|_| !is_search), name });
        }
    }
    found
}

/// What is written for a property, where that is a text and nothing else.
fn literal(field: &str, property: &str) -> Option<String> {
    let (_, rest) = field.split_once(&format!(" {property}=\""))?;
    rest.split('"').next().map(str::to_owned)
}

/// The server functions of the product: `keys/api/create_key`.
fn functions() -> BTreeSet<&'static str> {
    // Those of tests are below another crate's name.
    leptos::server_fn::axum::server_fn_paths().filter_map(|(path, _)| path.strip_prefix(FUNCTIONS)).collect()
}

fn nothing_typed() -> BTreeSet<String> {
    NOTHING_TYPED.iter().flat_map(|(module, names)| names.split_whitespace().map(move |name| format!("{module}{name}"))).collect()
}

/// Which fields, as (label, name), and which functions this walk should have come to, and did not.
pub fn missed(whose: Whose, fields: &BTreeSet<(String, String)>, called: &BTreeSet<String>) -> Vec<String> {
    let nothing_typed = nothing_typed();
    let fields = written().into_iter().filter(|one| Whose::of(&one.place()) == whose && !fields.iter().any(|seen| one.is(seen)));
    let fields = fields.map(|one| format!("the field {:?} ({:?}) of {}", one.label, one.name, one.file));
    let functions = functions().into_iter().filter(|name| Whose::of(name) == whose && !called.contains(*name) && !nothing_typed.contains(*name));
    let functions = functions.map(|name| format!("the function {name}"));
    let typed = called.iter().filter(|name| nothing_typed.contains(*name)).map(|name| format!("{name} is typed for by now: take it from NOTHING_TYPED"));
    fields.chain(functions).chain(typed).collect()
}

#[test]
fn the_scanner_sees_every_kind_of_field() {
    let found = fields_in(
        "x.rs",
        "<TextField label=\"Name\" name=\"name\" value=name/> <PasswordField   label=\"Key\" name=\"secret\" help=\"a /b\"/> \
         <TextArea label=most name=name(\"x\") rows=3/> <SearchField placeholder=\"p\" nostrip:value=q/> \
         <TextField label=\"Email\" name=\"shown\" readonly=true/> <TextFieldset label=\"No\" name=\"no\"/>",
    );
    let said: Vec<_> = found.iter().map(|one| (one.label.as_deref(), one.name.as_deref())).collect();
    assert_eq!(said, [(Some("Name"), Some("name")), (Some("Key"), Some("secret")), (None, None), (None, Some("q"))]);
    let all = written();
    for (file, name) in [("accounts/pages/sign_up.rs", "password"), ("keys/pages/import.rs", "list"), ("usage/components/filters.rs", "named")] {
        assert!(all.iter().any(|one| one.file == file && one.name.as_deref() == Some(name)), "{name} of {file}");
    }
}

#[test]
fn the_lists_name_what_there_is() {
    let (known, written) = (functions(), written());
    let gone: Vec<String> = nothing_typed().into_iter().filter(|name| !known.contains(name.as_str())).collect();
    assert_eq!(gone, Vec::<String>::new(), "NOTHING_TYPED names no function of the product");
    for start in OF_STRANGERS.iter().chain(&OF_OPERATORS) {
        let is_there = known.iter().any(|name| name.starts_with(*start)) || written.iter().any(|one| one.place().starts_with(*start));
        assert!(is_there, "{start} is nothing of the product");
    }
}
