//! A mail server on the loopback, small (a subset of RFC 5321) and moody: it accepts, refuses at a step, answers slowly or never,
//! or hangs up.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// How the server treats whoever connects, until told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Accept,
    /// Answers this line to the command that begins so (`RCPT`, `AUTH`, `.` for the end of a mail).
    Refuse(&'static str, &'static str),
    /// Takes this long for every answer.
    Slow(Duration),
    /// Accepts the connection and says nothing.
    Mute,
    /// Takes the mail and hangs up before it says so.
    HangUp,
    /// Hangs up in the middle of the mail.
    BreakOff,
    /// Says nothing to the first who connects, and takes the mails of all others.
    MuteOnce,
}

/// A mail as it came over the wire.
#[derive(Debug, Clone)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
}

pub struct SmtpServer {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    mood: Mutex<Mood>,
    connections: AtomicUsize,
    received: Mutex<Vec<Received>>,
}

impl SmtpServer {
    pub async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State { mood: Mutex::new(mood), connections: AtomicUsize::new(0), received: Mutex::default() });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let _ = converse(stream, &state).await; // a client that hangs up is not this server's trouble
                });
            }
        });
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub fn set(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = mood;
    }

    /// How many have connected.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// What was taken, the oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }
}

async fn converse(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mood = *state.mood.lock().unwrap();
    let is_first = state.connections.fetch_add(1, Ordering::SeqCst) == 0;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    if mood == Mood::Mute || (mood == Mood::MuteOnce && is_first) {
        return lines.next_line().await.map(|_| ());
    }
    let mut mail = Received { from: String::new(), to: Vec::new(), data: String::new() };
    write.write_all(b"220 mail.test ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let (verb, rest) = line.split_at(line.find([' ', ':']).unwrap_or(line.len()));
        let verb = verb.to_ascii_uppercase();
        let answer = match (mood, verb.as_str()) {
            (Mood::Refuse(at, words), verb) if at == verb => words,
            (_, "EHLO") => "250-mail.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
            (_, "AUTH") => "235 2.7.0 welcome",
            (_, "MAIL") => {
                mail.from = between(rest);
                "250 2.1.0 ok"
            }
            (_, "RCPT") => {
                mail.to.push(between(rest));
                "250 2.1.5 ok"
            }
            (_, "DATA") => {
                write.write_all(b"354 go on\r\n").await?;
                if mood == Mood::BreakOff {
                    lines.next_line().await?;
                    return Ok(());
                }
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.data.push_str("\r\n");
                }
                match mood {
                    Mood::Refuse(".", words) => words,
                    _ => {
                        state.received.lock().unwrap().push(mail.clone());
                        if mood == Mood::HangUp {
                            return Ok(());
                        }
                        "250 2.0.0 taken"
                    }
                }
            }
            (_, "QUIT") => "221 2.0.0 bye",
            (_, "NOOP" | "RSET") => "250 2.0.0 ok",
            _ => "500 5.5.2 what?",
        };
        if let Mood::Slow(pause) = mood {
            tokio::time::sleep(pause).await;
        }
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn between(text: &str) -> String {
    text.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

impl Received {
    /// A header's value, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next()?.replace("\r\n ", " ").replace("\r\n\t", " ");
        head.lines().find_map(|line| line.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()))
    }

    /// The decoded part of this type (`text/plain`).
    pub fn part(&self, kind: &str) -> String {
        let parts =
            self.data.split("\r\n--").find(|part| part.contains(&format!("Content-Type: {kind}"))).unwrap_or_else(|| panic!("no {kind}:\n{}", self.data));
        let (head, body) = parts.split_once("\r\n\r\n").unwrap();
        if head.contains("quoted-printable") { unquoted(body) } else { body.to_owned() }.replace("\r\n", "\n")
    }
}

/// Quoted-printable (RFC 2045 §6.7).
fn unquoted(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut pieces = joined.split('=');
    let mut out = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        out.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        out.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(out).unwrap()
}
