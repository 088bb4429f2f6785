//! Mail to the operator, as a server of the test's own receives it.

use std::time::Duration;

use tidegate::clock::Clock;
use tidegate::config::{Mail, Relay, Security};
use tidegate::work::mail::{Mailer, Patience};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How the server treats a connection.
#[derive(Clone, Copy)]
pub enum Manner {
    Takes,
    /// No mail for this one.
    Refuses(&'static str),
    /// Not a word.
    Hangs,
}

/// All lines that one client wrote.
pub type Heard = mpsc::UnboundedReceiver<Vec<String>>;

/// `manner` is asked with the number of the connection, from 0. What was heard is told when the client has gone.
pub async fn server(manner: fn(usize) -> Manner) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((client, _)) = listener.accept().await else { return };
            let told = told.clone();
            tokio::spawn(async move { told.send(serve(client, manner(number)).await) });
        }
    });
    (port, heard)
}

async fn serve(client: TcpStream, manner: Manner) -> Vec<String> {
    let (reader, mut writer) = client.into_split();
    let mut lines = BufReader::new(reader).lines();
    let (mut heard, mut in_data) = (Vec::new(), false);
    if !matches!(manner, Manner::Hangs) {
        writer.write_all(b"220 test\r\n").await.unwrap();
    }
    while let Ok(Some(line)) = lines.next_line().await {
        let word = line.split(' ').next().unwrap_or_default();
        let answer = match (word, manner) {
            (".", _) => "250 kept",
            _ if in_data => "",
            ("EHLO", _) => "250-test\r\n250 AUTH PLAIN",
            ("AUTH", _) => "235 welcome",
            ("DATA", _) => "354 go on",
            ("QUIT", _) => "221 bye",
            ("RCPT", Manner::Refuses(whom)) if line.contains(whom) => "550 not here",
            _ => "250 fine",
        };
        in_data = word != "." && (in_data || word == "DATA");
        heard.push(line);
        if !answer.is_empty() && writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
    }
    heard
}

pub fn mail(port: u16) -> Mail {
    let relay = Relay { host: "127.0.0.1".to_owned(), port, security: Security::None, login: None };
    let to = ["ops@example.com", "Night <night@example.com>"].map(|to| to.parse().unwrap()).to_vec();
    Mail { relay, from: "Tidegate <tidegate@example.com>".parse().unwrap(), to }
}

const QUICK: Patience =
    Patience { attempt: Duration::from_millis(200), pauses: [Duration::from_millis(1), Duration::from_millis(2)] };
/// No test waits for longer.
const DEADLINE: Duration = Duration::from_secs(30);

struct Sending {
    mailer: Mailer,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Sending {
    fn start(mail: &Mail, patience: Patience) -> Option<Self> {
        let (tasks, closing) = (TaskTracker::new(), CancellationToken::new());
        let clock = Clock::manual("2026-03-04T12:00:00Z".parse().unwrap());
        let mailer = Mailer::start(Some(mail), clock, patience, (&tasks, &closing)).ok()?;
        Some(Self { mailer, tasks, closing })
    }

    /// Until every mail has met its fate.
    async fn finish(self) {
        drop(self.mailer);
        self.tasks.close();
        tokio::time::timeout(DEADLINE, self.tasks.wait()).await.expect("the task ends");
    }
}

pub async fn next(heard: &mut Heard) -> Vec<String> {
    tokio::time::timeout(DEADLINE, heard.recv()).await.expect("a client comes").unwrap()
}

/// The first line that begins so.
pub fn line<'a>(heard: &'a [String], begin: &str) -> &'a str {
    heard.iter().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("no {begin} in {heard:#?}"))
}

#[tokio::test]
async fn each_recipient_gets_the_mail_as_it_was_written() {
    let (port, mut heard) = server(|_| Manner::Takes).await;
    let mut mail = mail(port);
    mail.relay.login = Some(("ops".to_owned(), "hunter2".into()));
    let sending = Sending::start(&mail, QUICK).unwrap();
    sending.mailer.send("whk_1\r\nBcc: x@example.com", "It fails.\n.\nFür immer.");
    let (first, second) = (next(&mut heard).await, next(&mut heard).await);
    sending.finish().await;
    assert_eq!(first[..2], ["EHLO example.com", "AUTH PLAIN AG9wcwBodW50ZXIy"]);
    assert_eq!(
        (line(&first, "RCPT"), line(&second, "RCPT")),
        ("RCPT TO:<ops@example.com>", "RCPT TO:<night@example.com>")
    );
    let data = |heard: &[String]| heard.iter().skip_while(|line| *line != "DATA").cloned().collect::<Vec<_>>();
    assert_eq!(data(&first), data(&second), "both get the same");
    for expected in [
        "MAIL FROM:<tidegate@example.com>",
        "From: Tidegate <tidegate@example.com>",
        "To: ops@example.com, Night <night@example.com>",
        "Date: Wed, 04 Mar 2026 12:00:00 +0000",
        "Subject: whk_1  Bcc: x@example.com",
        "Content-Type: text/plain; charset=utf-8",
        "It fails.",
        "F=C3=BCr immer.",
    ] {
        assert!(first.iter().any(|line| line.starts_with(expected)), "{expected}: {first:#?}");
    }
    assert!(line(&first, "Message-ID: <").ends_with("@example.com>"));
    assert!(heard.try_recv().is_err(), "it comes once");
}

#[tokio::test]
async fn one_who_cannot_be_reached_keeps_it_from_nobody() {
    let (port, mut heard) = server(|_| Manner::Refuses("ops@")).await;
    let sending = Sending::start(&mail(port), QUICK).unwrap();
    sending.mailer.send("one", "It fails.");
    sending.mailer.send("two", "It fails.");
    sending.finish().await;
    let mut seen = Vec::new();
    for _ in 0..8 {
        let client = next(&mut heard).await;
        seen.push((line(&client, "RCPT").len(), client.iter().any(|line| line == "DATA")));
    }
    let (ops, night) = (("RCPT TO:<ops@example.com>".len(), false), ("RCPT TO:<night@example.com>".len(), true));
    seen.sort_unstable();
    assert_eq!(seen, [vec![ops; 6], vec![night; 2]].concat(), "three attempts for the one, one for the other");
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn a_server_that_hangs_costs_one_mail() {
    let (port, mut heard) = server(|number| if number < 3 { Manner::Hangs } else { Manner::Takes }).await;
    let mut mail = mail(port);
    mail.to.truncate(1);
    let sending = Sending::start(&mail, QUICK).unwrap();
    sending.mailer.send("lost", "It fails.");
    sending.mailer.send("kept", "It fails.");
    for _ in 0..3 {
        assert_eq!(next(&mut heard).await, [""; 0], "nobody speaks first but the server");
    }
    assert_eq!(line(&next(&mut heard).await, "Subject"), "Subject: kept");
    sending.finish().await;
}

#[tokio::test]
async fn who_stops_waits_for_no_mail() {
    let (port, _heard) = server(|_| Manner::Hangs).await;
    let hour = Duration::from_secs(3_600);
    let sending = Sending::start(&mail(port), Patience { attempt: hour, pauses: [hour, hour] }).unwrap();
    sending.mailer.send("one", "It fails.");
    tokio::task::yield_now().await;
    sending.closing.cancel();
    sending.finish().await;
}

#[tokio::test]
async fn what_is_too_much_is_not_kept() {
    let (port, mut heard) = server(|_| Manner::Takes).await;
    let mut mail = mail(port);
    mail.to.truncate(1);
    let sending = Sending::start(&mail, QUICK).unwrap();
    // The task has no turn before this one waits.
    (0..200).for_each(|number| sending.mailer.send(&format!("mail {number}"), "It fails."));
    sending.finish().await;
    for number in 0..64 {
        assert_eq!(line(&next(&mut heard).await, "Subject"), format!("Subject: mail {number}"));
    }
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn nothing_is_said_in_the_clear_where_tls_is_required() {
    let (port, mut heard) = server(|_| Manner::Takes).await;
    let mut mail = mail(port);
    mail.relay.security = Security::StartTls;
    mail.relay.login = Some(("ops".to_owned(), "hunter2".into()));
    // A machine without certificates does not even begin.
    let Some(sending) = Sending::start(&mail, QUICK) else { return };
    sending.mailer.send("one", "It fails.");
    sending.finish().await;
    for _ in 0..6 {
        let client = next(&mut heard).await;
        assert!(client.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{client:#?}");
    }
}
