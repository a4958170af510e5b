//! From the tag of a syslog line to the program that wrote it.

use crate::formats::event::{Program, Service};

/// The programs whose lines mean something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Daemon {
    Postfix(Postfix),
    Dovecot,
    /// Cyrus and Courier use the same tags; their words tell them apart.
    CyrusOrCourier,
    Saslauthd,
    Amavis,
    Rspamd,
    MailGateway,
    Roundcube,
    /// A logger, which may say that it lost lines.
    Logger,
    /// A clock daemon, which may say that it moved the clock.
    TimeKeeper,
    /// No tag at all.
    Untagged,
    Other,
}

/// A Postfix program with what its tag says of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) struct Postfix {
    pub(in crate::formats) program: PostfixProgram,
    pub(in crate::formats) service: Service,
}

/// Postfix programs by the way their lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum PostfixProgram {
    Postscreen,
    Master,
    /// One that writes about messages or sessions.
    Known(Program),
    /// The tag says `postfix` and no more.
    Unnamed,
    /// One whose lines never carry a fact.
    Quiet,
}

/// Names the program of a tag (without process id).
pub(in crate::formats) fn identify(tag: &[u8]) -> Daemon {
    if tag.is_empty() {
        return Daemon::Untagged;
    }
    if let Some(slash) = memchr::memrchr(b'/', tag) {
        let (labels, program) = (tag.get(..slash).unwrap_or_default(), tag.get(slash + 1..).unwrap_or_default());
        if labels == b"cyrus" {
            return Daemon::CyrusOrCourier;
        }
        return match postfix_program(program) {
            Some(program) => Daemon::Postfix(Postfix { program, service: service(labels) }),
            None if labels.starts_with(b"postfix") => Daemon::Postfix(Postfix { program: PostfixProgram::Quiet, service: Service::Smtp }),
            None => Daemon::Other,
        };
    }
    bare(tag)
}

fn bare(tag: &[u8]) -> Daemon {
    match tag {
        b"postfix" => Daemon::Postfix(Postfix { program: PostfixProgram::Unnamed, service: Service::Smtp }),
        b"dovecot" => Daemon::Dovecot,
        b"imap" | b"imaps" | b"pop3" | b"pop3s" | b"imapd" | b"imapd-ssl" | b"pop3d" | b"pop3d-ssl" | b"sieve" | b"timsieved" => {
            Daemon::CyrusOrCourier
        }
        b"saslauthd" => Daemon::Saslauthd,
        b"amavis" | b"amavisd" | b"amavisd-new" => Daemon::Amavis,
        b"rspamd" => Daemon::Rspamd,
        b"pmg-smtp-filter" => Daemon::MailGateway,
        b"roundcube" => Daemon::Roundcube,
        b"rsyslogd" | b"syslogd" | b"syslog-ng" | b"systemd-journald" | b"systemd-journal" | b"journal" | b"newsyslog" | b"imjournal" => {
            Daemon::Logger
        }
        b"chronyd" | b"ntpd" | b"ntpdate" | b"systemd-timesyncd" | b"systemd" => Daemon::TimeKeeper,
        // The rsyslog templates of RFC 5424 cut a tag at its slash, which leaves the name of the instance.
        _ if tag.strip_prefix(b"postfix-").is_some_and(is_instance) => {
            Daemon::Postfix(Postfix { program: PostfixProgram::Unnamed, service: Service::Smtp })
        }
        _ => Daemon::Other,
    }
}

/// Programs of other projects are called `postfix-something` as well.
fn is_instance(name: &[u8]) -> bool {
    !name.is_empty() && !name.starts_with(b"policy") && !name.starts_with(b"script") && !name.starts_with(b"mta-sts") && name.len() < 20
}

fn postfix_program(name: &[u8]) -> Option<PostfixProgram> {
    Some(match name {
        b"smtpd" => PostfixProgram::Known(Program::Smtpd),
        b"cleanup" => PostfixProgram::Known(Program::Cleanup),
        b"pickup" => PostfixProgram::Known(Program::Pickup),
        b"qmgr" | b"nqmgr" | b"oqmgr" => PostfixProgram::Known(Program::Qmgr),
        b"smtp" => PostfixProgram::Known(Program::Smtp),
        b"lmtp" => PostfixProgram::Known(Program::Lmtp),
        b"local" => PostfixProgram::Known(Program::Local),
        b"virtual" => PostfixProgram::Known(Program::Virtual),
        b"pipe" => PostfixProgram::Known(Program::Pipe),
        b"error" | b"retry" => PostfixProgram::Known(Program::Error),
        b"discard" => PostfixProgram::Known(Program::Discard),
        b"bounce" => PostfixProgram::Known(Program::Bounce),
        b"postsuper" => PostfixProgram::Known(Program::Postsuper),
        b"qmqpd" => PostfixProgram::Known(Program::Other),
        b"postscreen" => PostfixProgram::Postscreen,
        b"master" => PostfixProgram::Master,
        b"anvil" | b"scache" | b"trivial-rewrite" | b"dnsblog" | b"tlsproxy" | b"tlsmgr" | b"proxymap" | b"flush" | b"showq" | b"spawn"
        | b"verify" | b"postlogd" | b"postdrop" | b"postqueue" | b"postcat" | b"postmap" | b"postalias" | b"postfix-script"
        | b"sendmail" | b"defer" | b"trace" | b"postfix" | b"postkick" | b"postlog" => PostfixProgram::Quiet,
        _ => return None,
    })
}

/// The last label before the program is the service, where the administrator named it as the sample configuration does.
fn service(labels: &[u8]) -> Service {
    let last = memchr::memrchr(b'/', labels).and_then(|at| labels.get(at + 1..)).unwrap_or(labels);
    match last {
        b"submission" | b"587" => Service::Submission,
        b"smtps" | b"submissions" | b"465" => Service::Submissions,
        _ => Service::Smtp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_program_and_service() {
        let postfix = |program, service| Daemon::Postfix(Postfix { program: PostfixProgram::Known(program), service });
        assert_eq!(identify(b"postfix/smtpd"), postfix(Program::Smtpd, Service::Smtp));
        assert_eq!(identify(b"postfix/submission/smtpd"), postfix(Program::Smtpd, Service::Submission));
        assert_eq!(identify(b"postfix/smtps/smtpd"), postfix(Program::Smtpd, Service::Submissions));
        assert_eq!(identify(b"postfix/submissions/smtpd"), postfix(Program::Smtpd, Service::Submissions));
        assert_eq!(identify(b"postfix-out/qmgr"), postfix(Program::Qmgr, Service::Smtp));
        assert_eq!(identify(b"mx-in/smtpd"), postfix(Program::Smtpd, Service::Smtp));
        assert_eq!(identify(b"postfix/amavis/smtp"), postfix(Program::Smtp, Service::Smtp));
    }

    #[test]
    fn programs_of_other_projects_are_not_postfix() {
        for tag in ["sshd", "CRON", "postfix-policyd-spf-python", "kernel", "sendmail", "postfixadmin"] {
            assert_eq!(identify(tag.as_bytes()), Daemon::Other, "{tag}");
        }
    }
}
