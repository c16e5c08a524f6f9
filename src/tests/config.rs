//! The configuration: the order of its sources, and what it refuses, with the place and the next step.

use super::support::folder::Folder;
use std::path::PathBuf;
use tollgate::platform::{
    config::{
        self, Env, Flag, Loaded, Origin, Sources,
        master_key::{self, MasterKeyError},
        settings::SETTINGS,
        show,
    },
    crypto::Rng,
    memory,
};

/// A working directory with a config file and a `.env`, and an environment.
fn sources(folder: &Folder, file: &str, dot_env: &str, env: &[(&str, &str)]) -> Sources {
    for (name, text) in [("tollgate.toml", file), (".env", dot_env)] {
        if !text.is_empty() {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
    }
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { dir: folder.path().to_owned(), env, ..Sources::default() }
}

fn load(file: &str, dot_env: &str, env: &[(&str, &str)]) -> Result<Loaded, String> {
    let folder = Folder::new();
    config::load(&sources(&folder, file, dot_env, env)).map_err(|error| error.to_string())
}

/// The one mistake that is found.
#[track_caller]
fn refused(file: &str, dot_env: &str, env: &[(&str, &str)]) -> String {
    let message = load(file, dot_env, env).expect_err("this must be refused");
    assert_eq!(message.lines().count(), 2, "one mistake expected: {message}");
    message.lines().nth(1).unwrap().trim().to_owned()
}

fn set(name: &str, value: &str) -> Flag {
    Flag { flag: "--set".to_owned(), name: name.to_owned(), value: value.to_owned() }
}

#[test]
fn z03_a_later_source_wins_and_the_origin_is_known() {
    let folder = Folder::new();
    let file = "[limits]\nkey_calls = 1\nkey_window = 10\n\n[jobs]\nparallel = 1\n\n[auth]\npassword_min = 10\nsecond_factor = \"all\"\n";
    let dot_env = "# comment\nTOLLGATE_KEY_LIMIT=2\nexport TOLLGATE_KEY_WINDOW='20s' # twenty\nTOLLGATE_JOBS_PARALLEL=\"2\"\nOTHER_PROGRAM=x\n";
    let mut sources = sources(&folder, file, dot_env, &[("TOLLGATE_KEY_LIMIT", "3"), ("TOLLGATE_KEY_WINDOW", "30"), ("PATH", "/bin")]);
    sources.flags.push(set("limits.key_calls", "4"));
    let loaded = config::load(&sources).unwrap();
    let config = &loaded.config;
    assert_eq!((config.limits.key_calls, config.limits.key_window, config.jobs.parallel, config.auth.password_min), (4, 30, 2, 10));
    assert_eq!(*loaded.origin("limits.key_calls"), Origin::Flag { flag: "--set".to_owned() });
    assert_eq!(*loaded.origin("limits.key_window"), Origin::Env { variable: "TOLLGATE_KEY_WINDOW".to_owned() });
    assert_eq!(*loaded.origin("jobs.parallel"), Origin::DotEnv { line: 4 });
    assert_eq!(*loaded.origin("auth.password_min"), Origin::File { path: PathBuf::from("tollgate.toml"), line: 9 });
    assert_eq!(*loaded.origin("auth.sign_up"), Origin::Default);
}

#[test]
fn what_a_flag_implies_yields_to_every_source() {
    let implied = |file: &str, dot_env: &str, env: &[(&str, &str)]| {
        let folder = Folder::new();
        let demo = Flag { flag: "--demo".to_owned(), name: "env".to_owned(), value: "development".to_owned() };
        let loaded = config::load(&Sources { implied: vec![demo], ..sources(&folder, file, dot_env, env) }).unwrap();
        (loaded.config.env, loaded.origin("env").to_string())
    };
    assert_eq!(implied("", "", &[]), (Env::Development, "flag --demo".to_owned()));
    assert_eq!(implied("env = \"production\"", "", &[]), (Env::Production, "tollgate.toml line 1".to_owned()));
    assert_eq!(implied("", "TOLLGATE_ENV=production", &[]), (Env::Production, ".env line 1".to_owned()));
    assert_eq!(implied("", "", &[("TOLLGATE_ENV", "production")]), (Env::Production, "environment TOLLGATE_ENV".to_owned()));
}

#[test]
fn what_hangs_on_other_settings_follows_them() {
    let loaded = load("", "", &[("TOLLGATE_ADDR", "0.0.0.0:8080"), ("TOLLGATE_DATA_DIR", "/srv/gate"), ("TOLLGATE_SMTP_URL", "")]).unwrap();
    assert_eq!(loaded.config.env, Env::Production);
    assert_eq!(loaded.config.origin(), "http://127.0.0.1:8080");
    assert_eq!(loaded.config.server.secret_file, PathBuf::from("/srv/gate/secret"));
    assert!(loaded.config.mail.smtp_url.is_none(), "an empty variable is not set");
    assert_eq!(load("", "", &[("TOLLGATE_ADDR", "[::1]:80")]).unwrap().config.origin(), "http://[::1]");
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let at_once = load("", "", &[("TOLLGATE_ARGON2_MEMORY", "1048576")]).unwrap().config.auth.argon2_parallel;
    assert_eq!(at_once, memory::places(cores, memory::limit(), 1_048_576), "large hashes have room for fewer at once");
    assert_eq!(load("", "", &[("TOLLGATE_ARGON2_PARALLEL", "7")]).unwrap().config.auth.argon2_parallel, 7);
}

#[test]
fn what_is_not_a_setting_is_named_with_its_place_and_its_neighbour() {
    assert_eq!(refused("\n[server]\nadr = \"x\"\n", "", &[]), "tollgate.toml line 3: server.adr is not a setting. Did you mean server.addr?");
    assert_eq!(refused("[server]\npool = 5", "", &[]), "tollgate.toml line 2: server.pool is not a setting. Did you mean database.pool?");
    assert_eq!(refused("server.adr = 1", "", &[]), "tollgate.toml line 1: server.adr is not a setting. Did you mean server.addr?");
    let section = refused("[sever]\naddr = \"x\"", "", &[]);
    assert!(section.starts_with("tollgate.toml line 1: [sever] is not a section. Did you mean [server]?"), "{section}");
    assert_eq!(refused("", "", &[("TOLLGATE_ADR", "x")]), "environment: TOLLGATE_ADR is not a setting. Did you mean TOLLGATE_ADDR?");
    assert_eq!(refused("", "", &[("TOLLGATE_DATABASE_URL", "x")]), "environment: TOLLGATE_DATABASE_URL is not a setting. Did you mean DATABASE_URL?");
    assert_eq!(refused("", "A=1\nTOLLGATE_SECRET=x", &[]), ".env line 2: TOLLGATE_SECRET is not a setting. Did you mean TOLLGATE_SECRET_FILE?");
    assert!(refused("", "", &[("TOLLGATE_ELEPHANT_TRUNK_SIZE", "x")]).contains("`tollgate config show` lists all"));
    assert_eq!(refused("", "just words", &[]), ".env line 1: this is not NAME=value, or a quote is not closed.");
    assert!(refused("[server]\naddr = = 1", "", &[]).starts_with("tollgate.toml line 2: this is not TOML"));
}

#[test]
fn retention_is_in_days_and_counting_is_off_only_where_one_measures() {
    let kept = |config: &config::Config| [config.retention.minutes, config.retention.usage, config.retention.refusals, config.retention.addresses];
    let days = |n: u64| std::time::Duration::from_secs(n * 86_400);
    assert_eq!(kept(&load("", "", &[]).unwrap().config), [45, 732, 30, 30].map(days));
    let file = "[retention]\nminutes = \"14d\"\nusage = \"400d\"\nrefusals = \"7d\"\naddresses = \"1d\"\n";
    assert_eq!(kept(&load(file, "", &[]).unwrap().config), [14, 400, 7, 1].map(days));
    assert!(refused("", "", &[("TOLLGATE_KEEP_ADDRESSES", "91d")]).contains("from 1 to 90 days"));
    let short = refused("", "", &[("TOLLGATE_KEEP_USAGE", "62d"), ("TOLLGATE_KEY_WINDOW", "100d")]);
    assert!(short.contains("must not be shorter than limits.key_window"), "{short}");

    let off = ("TOLLGATE_METERING", "false");
    assert!(refused("", "", &[off]).contains("usage.metering must be true in production"));
    assert!(!load("", "", &[off, ("TOLLGATE_ENV", "development")]).unwrap().config.usage.metering);
}

#[test]
fn a_variable_that_is_nearly_a_setting_is_warned_of_and_another_program_s_is_not() {
    let dot_env = "A=1\nDATABASE_HOST=x\nDATABASE_UR=\n";
    let env = [("DATABASE_ULR", "postgres://x"), ("database_url", "x"), ("DATABASE_UR", ""), ("PATH", "/bin"), ("DATABASE_HOST", "x"), ("HOME", "/root")];
    let loaded = load("", dot_env, &env).unwrap();
    assert!(loaded.config.database.url.is_none(), "a slip is not taken for what was meant");
    let told: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "environment: DATABASE_ULR is not a setting, and nothing reads it. Did you mean DATABASE_URL?",
            "environment: database_url is not a setting, and nothing reads it. Did you mean DATABASE_URL?",
        ]
    );
    assert!(load("", "TOLLGATE_CONFIG=\n", &[("DATABASE_URL", "postgres://me:hunter2@db/x"), ("TOLLGATE_SMTP_URL_FILE", "")]).unwrap().warnings.is_empty());
}

#[test]
fn a_line_of_dot_env_that_is_nearly_a_setting_refuses_the_start() {
    assert_eq!(refused("", "A=1\nTOLGATE_ADDR=127.0.0.1:1\n", &[]), ".env line 2: TOLGATE_ADDR is not a setting. Did you mean TOLLGATE_ADDR?");
    assert_eq!(refused("", "DATABASE_ULR=postgres://db/x", &[]), ".env line 1: DATABASE_ULR is not a setting. Did you mean DATABASE_URL?");
    assert_eq!(refused("", "DATABASE_URL_FIEL=x", &[]), ".env line 1: DATABASE_URL_FIEL is not a setting. Did you mean DATABASE_URL_FILE?");
    assert_eq!(refused("", "database_url=x", &[]), ".env line 1: database_url is not a setting. Did you mean DATABASE_URL?");
}

#[test]
fn the_readme_names_only_variables_that_are_settings() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let named: Vec<_> = readme.split('`').filter(|word| word.starts_with("TOLLGATE_") || word.starts_with("DATABASE_")).collect();
    // The one that names the file is no setting of it.
    let of_file = "TOLLGATE_CONFIG";
    let unknown: Vec<_> = named
        .iter()
        .filter(|word| **word != of_file && !SETTINGS.iter().any(|s| s.env == **word || s.is_secret() && word.strip_suffix("_FILE") == Some(s.env)))
        .collect();
    assert!(named.len() > 15 && unknown.is_empty(), "{unknown:?}");
}

#[test]
fn a_bad_value_is_named_with_what_is_allowed() {
    assert_eq!(refused("[auth]\npassword_min = 7", "", &[]), "tollgate.toml line 2: auth.password_min must be a number from 8 to 64, not \"7\".");
    let quoted = refused("[auth]\npassword_min = \"12\"", "", &[]);
    assert!(quoted.contains("must be a whole number without quotes, not of the type string"), "{quoted}");
    for (name, value) in [
        ("TOLLGATE_ARGON2_MEMORY", "19455"),
        ("TOLLGATE_ARGON2_PASSES", "1"),
        ("TOLLGATE_SESSION_MAX", "401d"),
        ("TOLLGATE_SESSION_COUNT", "0"),
        ("TOLLGATE_SESSION_COUNT", "many"),
        ("TOLLGATE_CONTACT", "two\nlines"),
        ("TOLLGATE_MAIL_LANGUAGE", "fr"),
        ("TOLLGATE_PASSWORD_MIN", "65"),
        ("TOLLGATE_SECOND_FACTOR", "admins"),
        ("TOLLGATE_PUBLIC_URL", "https://gate.example.com/app"),
        ("TOLLGATE_ADDR", "localhost"),
        ("TOLLGATE_ENV", "staging"),
        ("TOLLGATE_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
        ("TOLLGATE_LOG", "tollgate=loud"),
        ("TOLLGATE_MAIL_FROM", "nobody"),
        ("TOLLGATE_SMTP_URL", "http://mail"),
    ] {
        let message = refused("", "", &[(name, value)]);
        assert!(message.starts_with(&format!("environment {name}: ")), "{message}");
    }
    let all = load("[auth]\npassword_min = 7\nsign_up = \"ask\"", "", &[("TOLLGATE_ADDR", "x")]).unwrap_err();
    assert!(all.starts_with("The configuration has 3 mistakes."), "{all}");
}

#[test]
fn rules_that_join_settings() {
    let public = refused("", "", &[("TOLLGATE_PUBLIC_URL", "http://gate.example.com")]);
    assert!(public.starts_with("environment TOLLGATE_PUBLIC_URL: ") && public.contains("https://"), "{public}");
    for local in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:1", "https://gate.example.com"] {
        assert!(load("", "", &[("TOLLGATE_PUBLIC_URL", local)]).is_ok(), "{local}");
    }
    assert!(load("", "", &[("TOLLGATE_PUBLIC_URL", "http://gate.example.com"), ("TOLLGATE_ENV", "development")]).is_ok());
    assert!(refused("", "", &[("TOLLGATE_SESSION_MAX", "1d")]).contains("auth.session_idle must not be longer"));
    assert!(refused("", "", &[("TOLLGATE_SESSION_CAP", "20d")]).contains("auth.session_max must not be longer than auth.session_cap"));
    assert!(refused("", "", &[("TOLLGATE_SIGN_UP_WORK", "hard")]).contains("off, attack or always"));
    assert!(refused("", "", &[("TOLLGATE_SIGN_UP_RATE", "0")]).contains("auth.sign_up_rate"));
    assert!(refused("", "", &[("TOLLGATE_SESSION_CAP", "401d")]).contains("auth.session_cap"));
    assert!(refused("", "", &[("TOLLGATE_TOKEN_MAX", "1d")]).contains("auth.token_idle must not be longer"));
    assert!(refused("", "", &[("TOLLGATE_TOKEN_IDLE", "5")]).contains("auth.token_idle"));
    assert!(refused("", "", &[("TOLLGATE_PASSWORD_MIN", "14")]).contains("only where auth.second_factor is \"all\""));
    assert!(load("", "", &[("TOLLGATE_PASSWORD_MIN", "8"), ("TOLLGATE_SECOND_FACTOR", "all")]).is_ok());
    assert!(refused("", "", &[("TOLLGATE_DATABASE_POOL", "100")]).contains("embedded"));
    assert!(load("", "", &[("TOLLGATE_DATABASE_POOL", "100"), ("DATABASE_URL", "postgres://db/x")]).is_ok());
}

#[test]
fn a_secret_may_come_from_a_file_and_is_never_shown() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("url"), "postgres://me:hunter2@db/x\n").unwrap();
    let loaded = config::load(&sources(&folder, "", "", &[("DATABASE_URL_FILE", "url")])).unwrap();
    let lines = show::lines(&loaded);
    let line = lines.iter().find(|line| line.name == "database.url").unwrap();
    assert_eq!((line.value.as_str(), line.origin.as_str()), ("postgres://me:****@db/x", "environment DATABASE_URL_FILE"));
    assert!(!show::table(&lines).contains("hunter2"));

    // A file in the config file, overruled by a value in the environment.
    let both = sources(&folder, "[database]\nurl_file = \"url\"", "", &[("DATABASE_URL", "postgres://other/x")]);
    assert_eq!(show::lines(&config::load(&both).unwrap()).iter().find(|line| line.name == "database.url").unwrap().value, "postgres://other/x");

    assert!(refused("", "", &[("DATABASE_URL", "postgres://db/x"), ("DATABASE_URL_FILE", "url")]).contains("Keep one of them"));
    assert!(refused("", "", &[("DATABASE_URL_FILE", "nowhere")]).contains("can't be read"));
    let bad = refused("", "", &[("DATABASE_URL", "mysql://me:hunter2@db/x")]);
    assert!(bad.contains("postgres://") && !bad.contains("hunter2"), "{bad}");
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_are_no_settings() {
    let env = [
        ("TOLLGATE_SERVICE_HOST", "10.0.0.1"),
        ("TOLLGATE_SERVICE_PORT_HTTP", "3000"),
        ("TOLLGATE_PORT", "tcp://10.0.0.1:3000"),
        ("TOLLGATE_PORT_3000_TCP_ADDR", "10.0.0.1"),
    ];
    assert!(load("", "", &env).is_ok());
}

#[test]
fn a_file_that_was_named_must_exist() {
    let folder = Folder::new();
    let mut sources = sources(&folder, "", "", &[("TOLLGATE_CONFIG", "gone.toml")]);
    assert!(config::load(&sources).unwrap_err().to_string().contains("gone.toml: the config file can't be read"));
    std::fs::write(folder.path().join("mine.toml"), "[limits]\nkey_calls = 7").unwrap();
    sources.file = Some(PathBuf::from("mine.toml"));
    assert_eq!(config::load(&sources).unwrap().config.limits.key_calls, 7);
}

#[test]
fn the_template_sets_every_setting_to_its_default() {
    let template = show::template();
    assert!(load(&template, "", &[]).is_ok());
    let filled: String = template
        .lines()
        .map(|line| {
            line.strip_prefix("# ").filter(|line| SETTINGS.iter().any(|s| !s.is_secret() && line.starts_with(&format!("{} = ", s.key())))).unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let loaded = load(&filled, "", &[]).unwrap();
    for (line, default) in show::lines(&loaded).iter().zip(show::lines(&load("", "", &[]).unwrap())) {
        assert_eq!(line.value, default.value, "{}", line.name);
        let is_secret = SETTINGS.iter().any(|s| s.name == line.name && s.is_secret());
        assert_eq!(line.origin == "default", is_secret, "{} stands in the file", line.name);
    }
}

const PROVIDER: &str = "[[sign_in.providers]]\nslug = \"other\"\nname = \"Other\"\nissuer = \"https://accounts.example.com\"\nclient_id = \"tollgate\"\n";

#[test]
fn providers_stand_in_the_file_and_trust_nothing_by_default() {
    use secrecy::ExposeSecret;
    let folder = Folder::new();
    std::fs::write(folder.path().join("secret"), "hunter2\n").unwrap();
    let two = format!(
        "{PROVIDER}client_secret_file = \"secret\"\n\n[[sign_in.providers]]\nslug = \"home\"\nname = \"At home\"\nissuer = \"http://10.0.0.7:8080/realms/a\"\n\
         client_id = \"x\"\nscopes = [\"openid\", \"email\"]\nallow_sign_up = false\ntrusts_email = true\nreplaces_second_factor = true\nallow_private_network = true\n"
    );
    let loaded = config::load(&sources(&folder, &two, "", &[])).unwrap();
    let [other, home] = loaded.config.sign_in.providers.as_slice() else { panic!("two") };
    assert_eq!((other.slug.as_str(), other.client_secret.as_ref().unwrap().expose_secret()), ("other", "hunter2"));
    assert!(other.allow_sign_up && !other.trusts_email && !other.replaces_second_factor && !other.allow_private_network);
    assert_eq!((other.scopes.join(" "), home.scopes.join(" ")), ("email profile".to_owned(), "email".to_owned()));
    assert!(!home.allow_sign_up && home.trusts_email && home.replaces_second_factor && home.allow_private_network && home.client_secret.is_none());
    let table = show::table(&show::lines(&loaded));
    assert!(table.contains("other (Other, https://accounts.example.com)") && !table.contains("hunter2"), "{table}");
    assert!(!format!("{:?}", loaded.config).contains("hunter2"));
}

#[test]
fn a_wrong_provider_is_named_with_its_line() {
    let with = |line: &str| refused(&format!("{PROVIDER}{line}"), "", &[]);
    assert_eq!(with("client_sekret = \"x\""), "tollgate.toml line 6: client_sekret is not a setting of a provider. Did you mean client_secret?");
    assert!(with("trusts_email = \"yes\"").starts_with("tollgate.toml line 6: trusts_email must be true or false"));
    assert!(with("client_secret_file = \"nowhere\"").contains("a file that can be read"));
    assert!(with("scopes = [\"a b\"]").contains("a list of words"));
    let missing = refused(&PROVIDER.replace("client_id = \"tollgate\"\n", ""), "", &[]);
    assert!(missing.starts_with("tollgate.toml line 1: a provider needs client_id"), "{missing}");
    for issuer in ["http://accounts.example.com", "accounts.example.com", "https://accounts.example.com/?x=1", "https://me@accounts.example.com"] {
        let message = refused(&PROVIDER.replace("https://accounts.example.com", issuer), "", &[]);
        assert!(message.starts_with("tollgate.toml line 4: issuer of a provider must be https://"), "{message}");
    }
    for slug in ["Other", "1", "a/b", ""] {
        assert!(refused(&PROVIDER.replace("\"other\"", &format!("{slug:?}")), "", &[]).starts_with("tollgate.toml line 2: slug of a provider must be"));
    }
    assert!(refused(&format!("{PROVIDER}{PROVIDER}"), "", &[]).contains("two providers share a slug or an issuer"));
    assert!(refused("[sign_in]\nprovider = 1", "", &[]).contains("Only [[sign_in.providers]] stands there"));
    assert!(refused("[sign_in]\nproviders = [1]", "", &[]).contains("must be tables"));
}

mod master_key_file {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tollgate::platform::config::Config;

    fn config(folder: &Folder, env: Env) -> Config {
        Config::defaults(env, folder.path().join("data"))
    }

    fn write(config: &Config, text: &str, mode: u32) {
        std::fs::create_dir_all(&config.server.data_dir).unwrap();
        std::fs::write(&config.server.secret_file, text).unwrap();
        std::fs::set_permissions(&config.server.secret_file, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_first_start_makes_it_for_its_owner_alone_and_keeps_it() {
        let folder = Folder::new();
        let config = config(&folder, Env::Production);
        let first = master_key::open(&config, &Rng::seeded(1)).unwrap();
        let file = &config.server.secret_file;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(file).unwrap().trim().len(), 44);
        let again = master_key::open(&config, &Rng::seeded(2)).unwrap();
        assert_eq!(first.keyed_hash("x", b"y"), again.keyed_hash("x", b"y"));
        assert_eq!(std::fs::read_dir(&config.server.data_dir).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn weak_open_and_missing_ones_are_refused() {
        let folder = Folder::new();
        let mut config = config(&folder, Env::Production);
        let rng = Rng::seeded(1);
        let good = rng.base62(40);
        write(&config, "short", 0o600);
        assert!(matches!(master_key::open(&config, &rng), Err(MasterKeyError::Short(_))));
        write(&config, "changeme-changeme-changeme-changeme-changeme", 0o600);
        assert!(matches!(master_key::open(&config, &rng), Err(MasterKeyError::Placeholder(_))));
        write(&config, &good, 0o644);
        assert!(matches!(master_key::open(&config, &rng), Err(MasterKeyError::Open(_))));
        config.env = Env::Development;
        assert!(master_key::open(&config, &rng).is_ok(), "development only warns");
        config.server.secret_file = folder.path().join("elsewhere");
        assert!(matches!(master_key::open(&config, &rng), Err(MasterKeyError::Missing(_))), "only the one in the data folder is made");
    }
}
