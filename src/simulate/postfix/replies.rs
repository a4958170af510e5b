//! What receiving servers say: the text after `status=` for each fate, in the manner of the large providers and of common servers.

use crate::domain::time::SECOND;
use crate::simulate::cast::{Address, Cast, Flavour};
use crate::simulate::happenings::{Fate, Topic};
use crate::simulate::put::Put;
use crate::simulate::random::Random;

/// What one attempt comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Sent,
    Refused,
    Deferred,
}

/// The outcome of an attempt after `tries` earlier ones.
pub(super) fn verdict(fate: Fate, tries: u16) -> Verdict {
    match fate {
        Fate::Delivered | Fate::OwnFilter => Verdict::Sent,
        Fate::NoSuchUser | Fate::MailboxFull | Fate::Reputation => Verdict::Refused,
        Fate::Later(times) if tries >= u16::from(times) => Verdict::Sent,
        Fate::Later(_) | Fate::Unreachable => Verdict::Deferred,
    }
}

/// Who speaks to whom about what.
pub(super) struct Talk<'a> {
    pub(super) cast: &'a Cast,
    pub(super) domain: usize,
    pub(super) to: Address,
    /// The address of the server that sends.
    pub(super) from_ip: &'static str,
    pub(super) message_id: &'a [u8],
    pub(super) size: u32,
    pub(super) at: i64,
}

impl Talk<'_> {
    /// Appends `dsn=…, status=sent (…)`.
    pub(super) fn put_accepted(&self, out: &mut Vec<u8>, random: &mut Random) {
        let number = random.next();
        match self.cast.domains[self.domain].flavour {
            Flavour::Google => {
                out.text("dsn=2.0.0, status=sent (250 2.0.0 OK  ").number((self.at / SECOND) as u64).text(" ");
                put_token(out, number);
                out.text(" - gsmtp)");
            }
            Flavour::Microsoft => {
                let internal = 26_000_000_000_000 + number % 1_000_000_000_000;
                out.text("dsn=2.6.0, status=sent (250 2.6.0 <").bytes(self.message_id).text("> [InternalId=").number(internal);
                out.text(", Hostname=OS0PR01MB").number(1000 + number % 9000).text(".prod.example] ").number(u64::from(self.size) + 7000);
                out.text(" bytes in 0.").padded(100 + number % 400, 3).text(", ").number(20 + number % 60).text(".");
                out.padded(number % 1000, 3).text(" KB/sec Queued mail for delivery -> 250 2.1.5)");
            }
            Flavour::Yahoo => {
                out.text("dsn=2.0.0, status=sent (250 ok dirdel)");
            }
            Flavour::Docomo => {
                out.text("dsn=2.0.0, status=sent (250 Ok ").number(100_000 + number % 900_000).text(")");
            }
            Flavour::Exim => {
                out.text("dsn=2.0.0, status=sent (250 OK id=1pn");
                put_alphanumeric(out, number, 4);
                out.text("-00");
                put_alphanumeric(out, number >> 24, 4);
                out.text("-");
                put_alphanumeric(out, number >> 48, 2);
                out.text(")");
            }
            Flavour::Postfix => {
                out.text("dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ")
                    .hex(number % 1_000_000, 5)
                    .hex((number >> 40) % 0xffff + 0x1_0000, 5);
                out.text(")");
            }
        }
    }

    /// Appends `dsn=…, status=bounced (…)`.
    pub(super) fn put_refused(&self, out: &mut Vec<u8>, fate: Fate, random: &mut Random) {
        match fate {
            Fate::MailboxFull => {
                self.said(out, "5.2.2", "bounced", "552 5.2.2 <");
                self.cast.put(out, self.to);
                out.text(">: user is over quota (in reply to RCPT TO command))");
            }
            Fate::Reputation => self.put_distrust(out, random),
            _ => self.put_unknown_user(out, random),
        }
    }

    fn put_unknown_user(&self, out: &mut Vec<u8>, random: &mut Random) {
        match self.cast.domains[self.domain].flavour {
            Flavour::Google => {
                self.said(out, "5.1.1", "bounced", "550-5.1.1 The email account that you tried to reach does not exist. Please try ");
                out.text(
                    "550-5.1.1 double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. Learn more at ",
                );
                out.text("550 5.1.1  https://support.example/mail/?p=NoSuchUser ");
                put_token(out, random.next());
                out.text(" - gsmtp (in reply to RCPT TO command))");
            }
            Flavour::Microsoft => {
                self.said(out, "5.5.0", "bounced", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [OS0EUR01FT");
                out.padded(random.below(100), 3).text(".eop-EUR01.prod.protection.outlook.example] (in reply to RCPT TO command))");
            }
            Flavour::Yahoo => {
                self.said(out, "5.0.0", "bounced", "554 delivery error: dd This user doesn't have a yahoo.example account (");
                self.cast.put(out, self.to);
                out.text(") [0] - mta4").padded(random.below(1000), 3).text(".mail.yahoo.example (in reply to end of DATA command))");
            }
            Flavour::Docomo => {
                self.said(out, "5.0.0", "bounced", "550 Unknown user ");
                self.cast.put(out, self.to);
                out.text(" (in reply to RCPT TO command))");
            }
            Flavour::Exim => {
                self.said(out, "5.0.0", "bounced", "550 No Such User Here (in reply to RCPT TO command))");
            }
            Flavour::Postfix => {
                self.said(out, "5.1.1", "bounced", "550 5.1.1 <");
                self.cast.put(out, self.to);
                out.text(">: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command))");
            }
        }
    }

    fn put_distrust(&self, out: &mut Vec<u8>, random: &mut Random) {
        match self.cast.domains[self.domain].flavour {
            Flavour::Google => {
                self.said(out, "5.7.1", "bounced", "550-5.7.1 [");
                out.text(self.from_ip).text("      12] Our system has detected that this message is 550-5.7.1 likely unsolicited mail. ");
                out.text("To reduce the amount of spam sent to 550-5.7.1 you, this message has been blocked. Please visit ");
                out.text("550 5.7.1  https://support.example/mail/?p=UnsolicitedMessageError ");
                put_token(out, random.next());
                out.text(" - gsmtp (in reply to end of DATA command))");
            }
            Flavour::Microsoft => {
                self.said(out, "5.7.1", "bounced", "550 5.7.1 Unfortunately, messages from [");
                out.text(self.from_ip)
                    .text("] weren't sent. Please contact your Internet service provider since part of their network is ");
                out.text("on our block list (S3140). (in reply to MAIL FROM command))");
            }
            Flavour::Yahoo => {
                self.said(out, "5.7.1", "bounced", "553 5.7.1 [BL21] Connections will not be accepted from ");
                out.text(self.from_ip).text(", because the ip is on our block list; see https://postmaster.yahoo.example/error-codes ");
                out.text("(in reply to MAIL FROM command))");
            }
            Flavour::Docomo | Flavour::Exim => {
                self.said(out, "5.7.1", "bounced", "550 5.7.1 Message rejected as spam (in reply to end of DATA command))");
            }
            Flavour::Postfix => {
                self.said(out, "5.7.1", "bounced", "554 5.7.1 Service unavailable; Client host [");
                out.text(self.from_ip).text("] blocked using bl.lists.example; https://lists.example/query/ip/").text(self.from_ip);
                out.text(" (in reply to RCPT TO command))");
            }
        }
    }

    /// Appends `dsn=…, status=deferred (…)` of a server that answers.
    pub(super) fn put_later(&self, out: &mut Vec<u8>, random: &mut Random) {
        let domain = &self.cast.domains[self.domain];
        match domain.flavour {
            Flavour::Google => {
                self.said(out, "4.7.28", "deferred", "421-4.7.28 [");
                out.text(self.from_ip)
                    .text("      15] Our system has detected an unusual rate of 421-4.7.28 unsolicited mail originating from ");
                out.text(
                    "your IP address. To protect our 421-4.7.28 users from spam, mail sent from your IP address has been temporarily ",
                );
                out.text("421-4.7.28 rate limited. Please visit 421 4.7.28  https://support.example/mail/?p=UnsolicitedRateLimitError ");
                put_token(out, random.next());
                out.text(" - gsmtp (in reply to end of DATA command))");
            }
            Flavour::Microsoft => {
                self.said(out, "4.7.650", "deferred", "451 4.7.650 The mail server [");
                out.text(self.from_ip)
                    .text("] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see ");
                out.text("https://postmaster.outlook.example (S775) (in reply to MAIL FROM command))");
            }
            Flavour::Yahoo => {
                self.said(out, "4.7.0", "deferred", "421 4.7.0 [TSS04] Messages from ");
                out.text(self.from_ip).text(" temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see ");
                out.text("https://postmaster.yahoo.example/error-codes (in reply to MAIL FROM command))");
            }
            _ => {
                self.said(out, "4.2.0", "deferred", "450 4.2.0 <");
                self.cast.put(out, self.to);
                out.text(">: Recipient address rejected: Greylisted, see http://postgrey.example/help/").text(&domain.name);
                out.text(".html (in reply to RCPT TO command))");
            }
        }
    }

    /// Appends the head of a refusal by the receiver's server.
    fn said(&self, out: &mut Vec<u8>, dsn: &str, status: &str, reply: &str) {
        out.text("dsn=").text(dsn).text(", status=").text(status).text(" (host ").text(&self.cast.domains[self.domain].mx);
        out.text(" said: ").text(reply);
    }
}

/// A token as Google ends its replies with.
fn put_token(out: &mut Vec<u8>, number: u64) {
    let low = |out: &mut Vec<u8>, number: u64, width: usize| {
        let start = out.len();
        out.hex(number, width);
        out[start..].make_ascii_lowercase();
    };
    low(out, number % 0xff_ffff, 6);
    out.text("-20020a170902");
    low(out, (number >> 24) % 0xffff, 4);
    out.text("b001");
    low(out, (number >> 40) % 0xff_ffff, 6);
    out.text("si").number(1_000_000 + (number >> 8) % 9_000_000).text("plg.").number(number % 500);
}

fn put_alphanumeric(out: &mut Vec<u8>, mut number: u64, count: usize) {
    for _ in 0..count {
        out.push(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(number % 62) as usize]);
        number /= 62;
    }
}

/// Why the organisation's own filter refuses a message.
pub(super) const FILTER_REPLY: &str = "5.7.1 Message blocked by outbound filter (OB-104)";

/// Appends the subject line of an attacker's message, as `header_checks` shows it.
pub(super) fn put_subject(out: &mut Vec<u8>, topic: Topic) {
    let Topic::Lure(number) = topic else { return };
    match number % 5 {
        0 => out.text("=?UTF-8?B?44CQ6YeN6KaB44CR44Oh44O844Or44Oc44OD44Kv44K544Gu5a656YeP?="),
        1 => out.text("Your mailbox will be suspended today"),
        _ => out.text("Mailbox storage limit reached [Ticket#").padded(u64::from(number), 5).text("]"),
    };
}
