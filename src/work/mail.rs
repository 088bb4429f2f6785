//! Mail to the operator, beside everything else: who has something to say never waits, and a server that does not
//! answer costs nothing but the mail. The log always has what was said.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{self, Clock, Timestamp};
use crate::config::{Mail, Relay, Security};
use crate::secret::{self, ExposeSecret};

/// Mails that wait. What does not fit is a line of the log only.
const QUEUE: usize = 64;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// How long and how often it is tried to send a mail.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// One attempt, from the look-up of the server's name to its last answer.
    pub attempt: Duration,
    /// Before the second attempt and the third, which is the last.
    pub pauses: [Duration; 2],
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempt: Duration::from_secs(30), pauses: [Duration::from_secs(30), Duration::from_secs(300)] }
    }
}

/// The certificates to judge the mail server by cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("mail cannot be sent: {0}")]
pub struct NoMail(lettre::transport::smtp::Error);

struct Letter {
    subject: String,
    text: String,
    at: Timestamp,
}

/// The way to the operator.
#[derive(Clone)]
pub struct Mailer {
    clock: Clock,
    /// Without it the log is the only way.
    queue: Option<mpsc::Sender<Letter>>,
}

/// What sends.
struct Post {
    transport: Transport,
    from: Mailbox,
    to: Vec<Mailbox>,
    patience: Patience,
}

impl Mailer {
    /// Mails are sent by a task of `tasks`, which ends with `closing`: what has not been sent by then stays unsent.
    ///
    /// # Errors
    /// This system has no certificates to judge the server by.
    pub fn start(
        mail: Option<&Mail>,
        clock: Clock,
        patience: Patience,
        (tasks, closing): (&TaskTracker, &CancellationToken),
    ) -> Result<Self, NoMail> {
        let Some(mail) = mail else { return Ok(Self { clock, queue: None }) };
        let transport = transport(mail, patience).map_err(NoMail)?;
        let post = Post { transport, from: mail.from.clone(), to: mail.to.clone(), patience };
        let (sender, receiver) = mpsc::channel(QUEUE);
        tasks.spawn(post.run(receiver, closing.clone()));
        Ok(Self { clock, queue: Some(sender) })
    }

    /// Tells the operator; returns at once. Neither text may hold a secret: both are logged.
    pub fn send(&self, subject: &str, text: &str) {
        tracing::warn!(subject, text, "the operator is told");
        let Some(queue) = &self.queue else { return };
        let letter = Letter { subject: subject.to_owned(), text: text.to_owned(), at: self.clock.now() };
        if queue.try_send(letter).is_err() {
            tracing::warn!(subject, "a mail is not sent: too many wait already");
        }
    }
}

fn transport(mail: &Mail, patience: Patience) -> Result<Transport, lettre::transport::smtp::Error> {
    let Relay { host, port, security, login } = &mail.relay;
    let tls = match security {
        Security::None => Tls::None,
        Security::StartTls => Tls::Required(TlsParameters::new(host.clone())?),
        Security::Tls => Tls::Wrapper(TlsParameters::new(host.clone())?),
    };
    let builder = Transport::builder_dangerous(host.clone())
        .port(*port)
        .tls(tls)
        .timeout(Some(patience.attempt))
        .hello_name(ClientId::Domain(mail.from.email.domain().to_owned()));
    Ok(match login {
        Some((user, password)) => {
            builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned())).build()
        }
        None => builder.build(),
    })
}

impl Post {
    async fn run(self, mut queue: mpsc::Receiver<Letter>, closing: CancellationToken) {
        let send = async {
            while let Some(letter) = queue.recv().await {
                self.deliver(&letter).await;
            }
        };
        tokio::select! {
            () = send => {}
            () = closing.cancelled() => {}
        }
    }

    /// To each of those who are to be told by itself, so that one who cannot be reached keeps it from nobody.
    async fn deliver(&self, letter: &Letter) {
        let subject = &*letter.subject;
        let message = match self.write(letter) {
            Ok(message) => message.formatted(),
            Err(error) => return tracing::error!(subject, %error, "a mail cannot be written"),
        };
        let mut left = self.to.iter().map(|mailbox| mailbox.email.clone()).collect::<Vec<_>>();
        let [second, third] = self.patience.pauses;
        for pause in [None, Some(second), Some(third)] {
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            }
            left = self.attempt(left, &message, subject).await;
            if left.is_empty() {
                return;
            }
        }
        tracing::error!(subject, recipients = left.len(), "a mail could not be sent, and is given up");
    }

    /// Answers who was not reached.
    async fn attempt(&self, recipients: Vec<Address>, message: &[u8], subject: &str) -> Vec<Address> {
        let mut left = Vec::new();
        for recipient in recipients {
            let sent = async {
                let envelope = Envelope::new(Some(self.from.email.clone()), vec![recipient.clone()]);
                let envelope = envelope.map_err(|error| error.to_string())?;
                self.transport.send_raw(&envelope, message).await.map_err(|error| told(&error)).map(drop)
            };
            let sent = tokio::time::timeout(self.patience.attempt, sent).await;
            if let Err(error) = sent.unwrap_or_else(|_| Err("the server does not answer in time".to_owned())) {
                tracing::warn!(subject, error, "a mail could not be sent");
                left.push(recipient);
            }
        }
        left
    }

    /// Every attempt carries the same id, so that a mail that came twice is known for one.
    fn write(&self, letter: &Letter) -> Result<Message, lettre::error::Error> {
        let since = Duration::from_micros(letter.at.micros().max(0).unsigned_abs());
        let id = format!("<{}@{}>", &secret::hex(&clock::random())[..32], self.from.email.domain());
        let message = Message::builder()
            .from(self.from.clone())
            .subject(letter.subject.replace(char::is_control, " "))
            .date(std::time::UNIX_EPOCH + since)
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN);
        self.to.iter().fold(message, |message, to| message.to(to.clone())).body(letter.text.clone())
    }
}

/// What may be logged. A server's own words may repeat what it was sent; its code does not.
fn told(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the server answered {code}"),
        None => error.to_string(),
    }
}
