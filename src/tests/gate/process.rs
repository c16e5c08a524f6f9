//! Real servers of the real binary on the test's database, and a way there that can be cut.

use crate::support::{folder::Folder, until};
use reqwest::Response;
use sqlx::{ConnectOptions, PgPool, postgres::PgConnectOptions};
use std::{net::TcpListener, os::unix::fs::PermissionsExt, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpStream, UnixStream},
    process::{Child, Command},
    sync::watch,
};

/// A real server.
pub struct Node {
    pub process: Child,
    pub base: String,
    http: reqwest::Client,
}

/// Where the database of a test is.
pub fn url(db: &PgPool) -> String {
    db.connect_options().to_url_lossy().to_string()
}

/// All nodes on one database have one master key.
fn share_master_key(folder: &Folder) {
    let data = folder.path().join(".data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("secret"), "kq3Vt0m8xR2c5ZpJ7hYb1LwN4sDfG6uEaQoXiTzHvMk").unwrap();
    std::fs::set_permissions(data.join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Starts a server on this database with these variables, and waits until it is ready.
pub async fn start(database: &str, folder: &Folder, variables: &[(&str, &str)]) -> Node {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = format!("http://127.0.0.1:{port}");
    share_master_key(folder);
    let process = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["serve", "--addr", &format!("127.0.0.1:{port}")])
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", database)
        .env("TOLLGATE_ENV", "development")
        .env("TOLLGATE_PUBLIC_URL", &base)
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // A paused server must not be asked over a connection that was opened before it ran again.
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(20)).build().unwrap();
    until("the server is ready", async || reqwest::get(format!("{base}/readyz")).await.is_ok_and(|answer| answer.status() == 200)).await;
    Node { process, base, http }
}

impl Node {
    /// `:34567`, the end of its name among the nodes.
    pub fn port(&self) -> &str {
        &self.base[self.base.rfind(':').unwrap()..]
    }

    pub async fn get(&self, path: &str, secret: &str) -> Response {
        self.http.get(format!("{}{path}", self.base)).bearer_auth(secret).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, secret: &str, body: serde_json::Value) -> Response {
        self.http.post(format!("{}{path}", self.base)).bearer_auth(secret).json(&body).send().await.unwrap()
    }

    pub async fn put(&self, path: &str, secret: &str, body: serde_json::Value) -> Response {
        self.http.put(format!("{}{path}", self.base)).bearer_auth(secret).json(&body).send().await.unwrap()
    }

    pub async fn patch(&self, path: &str, secret: &str, body: serde_json::Value) -> Response {
        self.http.patch(format!("{}{path}", self.base)).bearer_auth(secret).json(&body).send().await.unwrap()
    }

    /// What a proxy is told about a key.
    pub async fn ask(&self, secret: &str) -> u16 {
        self.get("/forward-auth/demo", secret).await.status().as_u16()
    }

    /// SIGSTOP or SIGCONT.
    pub fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        // SAFETY: the process is our own child and was not waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }
}

/// A way to the database of a test that can be cut and mended.
pub struct Way {
    pub url: String,
    is_open: watch::Sender<bool>,
}

impl Way {
    pub async fn to(db: &PgPool) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = db.connect_options();
        let mut url = options.to_url_lossy();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        url.set_query(Some("sslmode=disable"));
        let (is_open, opened) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, (*options).clone(), opened.clone()));
            }
        });
        Self { url: url.to_string(), is_open }
    }

    pub fn cut(&self) {
        self.is_open.send_replace(false);
    }

    pub fn mend(&self) {
        self.is_open.send_replace(true);
    }
}

/// One connection, for as long as the way is open.
async fn carry(near: TcpStream, database: PgConnectOptions, mut is_open: watch::Receiver<bool>) {
    if !*is_open.borrow_and_update() {
        return;
    }
    let socket = database.get_socket().map(|folder| folder.join(format!(".s.PGSQL.{}", database.get_port())));
    match socket {
        Some(socket) => join(near, UnixStream::connect(socket).await.unwrap(), is_open).await,
        None => join(near, TcpStream::connect((database.get_host(), database.get_port())).await.unwrap(), is_open).await,
    }
}

async fn join(mut near: TcpStream, mut far: impl AsyncRead + AsyncWrite + Unpin, mut is_open: watch::Receiver<bool>) {
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = is_open.wait_for(|open| !open) => {}
    }
}
