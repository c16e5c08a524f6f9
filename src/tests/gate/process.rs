//! Real servers of the real binary on the test's database, and a way there that can be cut, or be a long one.

use crate::support::{folder::Folder, until};
use reqwest::Response;
use sqlx::{ConnectOptions, PgPool, postgres::PgConnectOptions};
use std::{
    io,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpStream, UnixStream},
    process::{Child, Command},
    sync::watch,
    time::sleep,
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
    /// Ends it as a deploy does, and waits until it has.
    pub async fn end(&mut self) {
        let pid = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        self.process.wait().await.unwrap();
    }

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

/// A way to the database of a test that can be cut and mended, and slow.
pub struct Way {
    pub url: String,
    is_open: watch::Sender<bool>,
    /// Milliseconds that whatever is sent takes, each way.
    delay: Arc<AtomicU64>,
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
        let delay = Arc::new(AtomicU64::new(0));
        let taken = Arc::clone(&delay);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, (*options).clone(), opened.clone(), Arc::clone(&taken)));
            }
        });
        Self { url: url.to_string(), is_open, delay }
    }

    /// From now on whatever is sent takes so long, each way.
    pub fn slow(&self, by: Duration) {
        self.delay.store(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }

    pub fn cut(&self) {
        self.is_open.send_replace(false);
    }

    pub fn mend(&self) {
        self.is_open.send_replace(true);
    }
}

/// One connection, for as long as the way is open; it ends at once where nobody is at the other end.
async fn carry(near: TcpStream, database: PgConnectOptions, mut is_open: watch::Receiver<bool>, delay: Arc<AtomicU64>) {
    if !*is_open.borrow_and_update() {
        return;
    }
    let socket = database.get_socket().map(|folder| folder.join(format!(".s.PGSQL.{}", database.get_port())));
    match socket {
        Some(socket) => {
            if let Ok(far) = UnixStream::connect(socket).await {
                join(near, far, is_open, &delay).await;
            }
        }
        None => {
            if let Ok(far) = TcpStream::connect((database.get_host(), database.get_port())).await {
                join(near, far, is_open, &delay).await;
            }
        }
    }
}

async fn join(near: TcpStream, far: impl AsyncRead + AsyncWrite + Unpin, mut is_open: watch::Receiver<bool>, delay: &AtomicU64) {
    let ((from_near, to_near), (from_far, to_far)) = (split(near), split(far));
    tokio::select! {
        _ = async { tokio::try_join!(forward(from_near, to_far, delay), forward(from_far, to_near, delay)) } => {}
        _ = is_open.wait_for(|open| !open) => {}
    }
}

async fn forward(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, delay: &AtomicU64) -> io::Result<()> {
    let mut sent = vec![0; 65_536];
    loop {
        let bytes = from.read(&mut sent).await?;
        if bytes == 0 {
            return to.shutdown().await;
        }
        let millis = delay.load(Ordering::Relaxed);
        if millis > 0 {
            sleep(Duration::from_millis(millis)).await;
        }
        to.write_all(&sent[..bytes]).await?;
    }
}
