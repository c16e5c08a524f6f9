//! The cluster of a data folder: where it lies, who runs it, which programs fit it; made by `initdb` on the first start.
//!
//! It is `<data>/postgres`. As root Postgres must run as another user, who may be unable to reach the data folder (below
//! `/root`, say): then the cluster lies under `/var/lib` and `<data>/postgres` is a link to it.

use super::{
    PORT, PostgresError,
    programs::{self, Programs},
    sys,
};
use crate::platform::crypto::sha256;
use std::{
    fs::{DirBuilder, Permissions},
    io::ErrorKind,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, lchown, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

/// The longest path of a unix socket that every system takes (macOS: 104 bytes with the closing zero).
const SOCKET_PATH: usize = 103;

/// A cluster that can be started.
pub(super) struct Cluster {
    /// Absolute, without links.
    pub folder: PathBuf,
    /// The folder of the unix socket; only the owner of the cluster can enter it.
    pub socket: PathBuf,
    programs: Programs,
    run_as: Option<User>,
}

/// Whom Postgres runs as when we are root.
#[derive(Debug, Clone, PartialEq, Eq)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

impl Cluster {
    /// One of Postgres' programs, run as the right user with an environment of its own.
    pub(super) fn command(&self, program: &str) -> Command {
        command(&self.programs, self.run_as.as_ref(), program)
    }
}

/// The cluster of a data folder (absolute). Makes it if there is none.
pub(super) fn open(data_dir: &Path) -> Result<Cluster, PostgresError> {
    let link = data_dir.join("postgres");
    let made = link.canonicalize().ok().filter(|folder| folder.join("PG_VERSION").is_file());
    let (folder, programs, run_as) = match made {
        Some(folder) => reopen(folder)?,
        None if link.is_symlink() && !link.exists() => {
            let target = std::fs::read_link(&link).unwrap_or_default();
            return Err(PostgresError::Folder(format!(
                "The database of this data folder lies in {}, which does not exist. Bring it back, or remove the link {} to begin with an empty database.",
                target.display(),
                link.display()
            )));
        }
        None => make(data_dir, &link)?,
    };
    let socket = socket_folder(&folder, run_as.as_ref())?;
    Ok(Cluster { folder, socket, programs, run_as })
}

fn reopen(folder: PathBuf) -> Result<(PathBuf, Programs, Option<User>), PostgresError> {
    let unreadable = || PostgresError::io(format!("The database in {} can't be opened", folder.display()));
    let text = std::fs::read_to_string(folder.join("PG_VERSION")).map_err(unreadable())?;
    let version = text.trim().parse().map_err(|_| PostgresError::Folder(format!("{}/PG_VERSION is not a version.", folder.display())))?;
    let programs = programs::find(Some(version)).map_err(|error| match error {
        PostgresError::WrongVersion { version, found, .. } => PostgresError::WrongVersion { folder: folder.clone(), version, found },
        other => other,
    })?;
    let owner = folder.metadata().map_err(unreadable())?;
    let run_as = match user(Some((owner.uid(), owner.gid())))? {
        Some(user) => {
            if owner.uid() != user.uid {
                // A copy that root brought back.
                chown_all(&folder, &user).map_err(unreadable())?;
            }
            if !can_reach(&programs, &user, &folder) {
                return Err(PostgresError::Folder(format!(
                    "As root, Postgres runs as the user {}, who can't reach {}. Move the data folder to where that user can (such as /var/lib/tollgate), or run Tollgate as an ordinary user.",
                    user.name,
                    folder.display()
                )));
            }
            Some(user)
        }
        None => None,
    };
    std::fs::set_permissions(&folder, Permissions::from_mode(0o700))
        .map_err(PostgresError::io(format!("The database in {} belongs to another user: run Tollgate as that one", folder.display())))?;
    Ok((folder, programs, run_as))
}

/// Makes a new cluster beside its place and moves it there when it is whole, so that a start that was cut off leaves nothing half.
fn make(data_dir: &Path, link: &Path) -> Result<(PathBuf, Programs, Option<User>), PostgresError> {
    let programs = programs::find(None)?;
    let run_as = user(None)?;
    if let Some(user) = run_as.as_ref().filter(|user| !can_reach(&programs, user, Path::new("/"))) {
        return Err(PostgresError::Folder(format!(
            "As root, Postgres runs as the user {}, who can't run {}. Install Postgres for all users.",
            user.name,
            programs.folder.display()
        )));
    }
    let place = match &run_as {
        Some(user) if !can_reach(&programs, user, data_dir) => place_elsewhere(data_dir)?,
        _ => link.to_owned(),
    };
    let draft = place.with_extension("new");
    let failed = || PostgresError::io(format!("The database can't be made in {}", place.display()));
    if draft.exists() {
        std::fs::remove_dir_all(&draft).map_err(failed())?;
    }
    DirBuilder::new().mode(0o700).create(&draft).map_err(failed())?;
    if let Some(user) = &run_as {
        chown(&draft, Some(user.uid), Some(user.gid)).map_err(failed())?;
    }
    tracing::info!("making a database in {} with Postgres {}", place.display(), programs.version);
    // C.UTF-8 knows upper and lower case beyond ASCII; where it is missing, C is always there.
    initdb(&programs, run_as.as_ref(), &draft, "C.UTF-8").or_else(|_| initdb(&programs, run_as.as_ref(), &draft, "C"))?;
    std::fs::rename(&draft, &place).map_err(failed())?;
    if place != link {
        let user = run_as.as_ref().map_or("", |user| &user.name);
        tracing::warn!("the user {user}, whom Postgres runs as, can't reach {}: the database lies in {}", data_dir.display(), place.display());
        symlink(&place, link).map_err(failed())?;
    }
    Ok((place.canonicalize().map_err(failed())?, programs, run_as))
}

fn initdb(programs: &Programs, run_as: Option<&User>, folder: &Path, locale: &str) -> Result<(), PostgresError> {
    let mut command = command(programs, run_as, "initdb");
    command.arg("-D").arg(folder).args(["-U", super::NAME, "--auth-local=trust", "--auth-host=reject", "-E", "UTF8", "--data-checksums"]);
    command.arg(format!("--locale={locale}"));
    sys::end_with_this_thread(&mut command, sys::SIGKILL);
    let output = command.output().map_err(PostgresError::io("initdb can't be run"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(PostgresError::Program { program: "initdb", output: super::end_of(&String::from_utf8_lossy(&output.stderr)) })
}

fn command(programs: &Programs, run_as: Option<&User>, program: &str) -> Command {
    let mut command = Command::new(programs.path(program));
    // Variables such as PGDATA, or a locale that is not installed, must not reach it.
    command.env_clear().env("LC_ALL", "C").current_dir("/");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if let Some(user) = run_as {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Tries it: links, modes and access lists all count.
fn can_reach(programs: &Programs, user: &User, folder: &Path) -> bool {
    command(programs, Some(user), "postgres").arg("--version").current_dir(folder).output().is_ok_and(|output| output.status.success())
}

/// A place that every user can reach, named after the data folder. One that is taken belongs to a data folder that was removed:
/// it is left alone.
fn place_elsewhere(data_dir: &Path) -> Result<PathBuf, PostgresError> {
    let name = short_name(data_dir);
    let places = (1..100).map(|n| PathBuf::from(if n == 1 { format!("/var/lib/{name}") } else { format!("/var/lib/{name}-{n}") }));
    places
        .into_iter()
        .find(|place| !place.exists())
        .ok_or_else(|| PostgresError::Folder(format!("There is no free place for the database at /var/lib/{name}. Remove old ones.")))
}

/// As root: the owner of an existing cluster, else `postgres`, else `nobody`.
fn user(owner: Option<(u32, u32)>) -> Result<Option<User>, PostgresError> {
    if !sys::is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").map_err(PostgresError::io("/etc/passwd can't be read"))?;
    if let Some((uid, gid)) = owner.filter(|(uid, _)| *uid != 0) {
        let known = users.lines().filter_map(parse_user).find(|user| user.uid == uid);
        return Ok(Some(User { name: known.map_or_else(|| uid.to_string(), |user| user.name), uid, gid }));
    }
    let named = |name: &str| users.lines().filter_map(parse_user).find(|user| user.name == name && user.uid != 0);
    named("postgres").or_else(|| named("nobody")).map(Some).ok_or_else(|| {
        PostgresError::Folder("Postgres refuses to run as root, and there is neither a user postgres nor nobody. Run Tollgate as an ordinary user.".to_owned())
    })
}

/// A line of /etc/passwd: name, password, uid, gid, …
fn parse_user(line: &str) -> Option<User> {
    let fields: Vec<_> = line.split(':').collect();
    Some(User { name: (*fields.first()?).to_owned(), uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
}

fn chown_all(path: &Path, user: &User) -> std::io::Result<()> {
    lchown(path, Some(user.uid), Some(user.gid))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            chown_all(&entry?.path(), user)?;
        }
    }
    Ok(())
}

/// The cluster itself, which nobody else can enter. If its path is too long for a socket: a short folder, closed likewise.
fn socket_folder(cluster: &Path, run_as: Option<&User>) -> Result<PathBuf, PostgresError> {
    let name = format!("/.s.PGSQL.{PORT}.lock");
    if cluster.as_os_str().len() + name.len() <= SOCKET_PATH {
        return Ok(cluster.to_owned());
    }
    let base = match std::env::var_os("XDG_RUNTIME_DIR") {
        _ if run_as.is_some() && Path::new("/run").is_dir() => PathBuf::from("/run"),
        Some(folder) if run_as.is_none() && Path::new(&folder).is_dir() && folder.len() < 40 => PathBuf::from(folder),
        _ => PathBuf::from("/tmp"),
    };
    let folder = base.join(short_name(cluster));
    let failed = || PostgresError::io(format!("The folder {} for the socket can't be made", folder.display()));
    let owner = cluster.metadata().map_err(failed())?;
    match DirBuilder::new().mode(0o700).create(&folder) {
        Ok(()) => chown(&folder, Some(owner.uid()), Some(owner.gid())).map_err(failed())?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed()(error)),
    }
    // Somebody else may have put it there: who owns the folder of a socket answers for the database.
    let found = folder.symlink_metadata().map_err(failed())?;
    if found.is_dir() && found.uid() == owner.uid() && found.mode() & 0o077 == 0 {
        return Ok(folder);
    }
    Err(PostgresError::Folder(format!(
        "{} belongs to somebody else or is open to others. Remove it, or choose a data folder with a shorter path.",
        folder.display()
    )))
}

/// The same short name for the same path.
fn short_name(path: &Path) -> String {
    let hash = sha256(path.as_os_str().as_bytes());
    let digits: String = hash[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("tollgate-{digits}")
}
