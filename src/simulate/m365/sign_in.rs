//! Sign-ins as Entra ID knows them: one record for each step of a flow, each with an id of its own.

use super::directory::{Account, Directory, Whereabouts, locate};
use super::guid::Guid;
use std::net::IpAddr;

/// One step of a sign-in.
#[derive(Clone, Debug)]
pub(super) struct SignIn {
    pub(super) at: i64,
    pub(super) id: Guid,
    /// Common to the steps of one flow.
    pub(super) correlation: Guid,
    pub(super) session: Guid,
    pub(super) who: Who,
    pub(super) from: IpAddr,
    pub(super) door: Door,
    pub(super) code: Code,
    pub(super) proof: Proof,
    pub(super) interactive: bool,
}

/// Whose name was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// An account, by its number in the directory.
    Account(usize),
    /// A name that no account has.
    Nobody(String),
}

/// The program or protocol that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Browser,
    Outlook,
    Phone,
    Teams,
    SmtpAuth,
    Imap,
    Pop,
    /// The user's own page of security settings.
    SecurityInfo,
}

/// What was shown to prove the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Password,
    /// The password, and then a notification on the phone.
    PasswordAndPhone,
    /// A refresh token, no password.
    RefreshToken,
    PrimaryRefreshToken,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Success,
    BadPassword,
    NoSuchUser,
    Locked,
    MaliciousAddress,
    StrongAuthentication,
    StrongAuthenticationByPolicy,
    StrongAuthenticationFailed,
    KeepMeSignedIn,
    NoSession,
    TokenExpired,
    BlockedByPolicy,
}

impl Code {
    pub(super) fn number(self) -> u32 {
        match self {
            Code::Success => 0,
            Code::BadPassword => 50126,
            Code::NoSuchUser => 50034,
            Code::Locked | Code::MaliciousAddress => 50053,
            Code::StrongAuthentication => 50074,
            Code::StrongAuthenticationByPolicy => 50076,
            Code::StrongAuthenticationFailed => 500_121,
            Code::KeepMeSignedIn => 50140,
            Code::NoSession => 50058,
            Code::TokenExpired => 700_082,
            Code::BlockedByPolicy => 53003,
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Code::Success => "Other.",
            Code::BadPassword => "Error validating credentials due to invalid username or password.",
            Code::NoSuchUser => {
                "The user account {EUII Hidden} does not exist in the directory. To sign into this application, the account must be added to the directory."
            }
            Code::Locked => "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
            Code::MaliciousAddress => "Sign-in was blocked because it came from an IP address with malicious activity.",
            Code::StrongAuthentication => "Strong Authentication is required.",
            Code::StrongAuthenticationByPolicy => {
                "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource."
            }
            Code::StrongAuthenticationFailed => "Authentication failed during strong authentication request.",
            Code::KeepMeSignedIn => "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
            Code::NoSession => "Session information is not sufficient for single-sign-on.",
            Code::TokenExpired => "The refresh token has expired due to inactivity.",
            Code::BlockedByPolicy => {
                "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."
            }
        }
    }

    /// The word of the portal's status column, which calls some proofs of the right password failures.
    pub(super) fn status(self) -> &'static str {
        match self {
            Code::Success => "Success",
            Code::StrongAuthentication | Code::KeepMeSignedIn | Code::NoSession => "Interrupted",
            _ => "Failure",
        }
    }

    /// The audit log's name of the error.
    pub(super) fn logon_error(self) -> &'static str {
        match self {
            Code::Success => "",
            Code::BadPassword => "InvalidUserNameOrPassword",
            Code::NoSuchUser => "UserAccountNotFound",
            Code::Locked | Code::MaliciousAddress => "IdsLocked",
            Code::StrongAuthentication | Code::StrongAuthenticationByPolicy => "UserStrongAuthClientAuthNRequiredInterrupt",
            Code::StrongAuthenticationFailed => "AuthenticationFailedSasError",
            Code::KeepMeSignedIn => "KmsiInterrupt",
            Code::NoSession => "UserInformationNotProvided",
            Code::TokenExpired => "ExpiredOrRevokedGrantInactiveToken",
            Code::BlockedByPolicy => "BlockedByConditionalAccess",
        }
    }

    /// Whether the step shows that the password was right.
    fn password_passed(self) -> bool {
        !matches!(self, Code::BadPassword | Code::NoSuchUser | Code::Locked | Code::MaliciousAddress | Code::NoSession | Code::TokenExpired)
    }
}

/// One method of a step, as AuthDetails and `authenticationDetails` list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) detail: &'static str,
    pub(super) succeeded: bool,
    pub(super) result: &'static str,
    pub(super) requirement: &'static str,
}

const EXCHANGE: (&str, Guid) = ("Office 365 Exchange Online", Guid::known(0x00000002_0000_0ff1_ce00_000000000000));
const GRAPH: (&str, Guid) = ("Microsoft Graph", Guid::known(0x00000003_0000_0000_c000_000000000000));

impl Door {
    /// The application that asked, by the names Microsoft lists.
    pub(super) fn application(self) -> (&'static str, Guid) {
        match self {
            Door::Browser => ("One Outlook Web", Guid::known(0x9199bf20_a13f_4107_85dc_02114787ef48)),
            Door::Outlook => ("Microsoft Office", Guid::known(0xd3590ed6_52b3_4102_aeff_aad2292ab01c)),
            Door::Phone => ("Outlook Mobile", Guid::known(0x27922004_5251_4030_b22d_91ecd9a37ea4)),
            Door::Teams => ("Microsoft Teams", Guid::known(0x1fec8e78_bce4_4aaf_ab1b_5451cc387264)),
            Door::SecurityInfo => ("My Signins", Guid::known(0x19db86c3_b2b9_44cc_b339_36da233a3be2)),
            Door::SmtpAuth | Door::Imap | Door::Pop => EXCHANGE,
        }
    }

    pub(super) fn resource(self) -> (&'static str, Guid) {
        match self {
            Door::Teams | Door::SecurityInfo => GRAPH,
            _ => EXCHANGE,
        }
    }

    /// `clientAppUsed`.
    pub(super) fn client(self) -> &'static str {
        match self {
            Door::Browser | Door::SecurityInfo => "Browser",
            Door::Outlook | Door::Phone | Door::Teams => "Mobile Apps and Desktop clients",
            Door::SmtpAuth => "Authenticated SMTP",
            Door::Imap => "IMAP4",
            Door::Pop => "POP3",
        }
    }

    /// Basic authentication, which the service replays as a password grant.
    pub(super) fn legacy(self) -> bool {
        matches!(self, Door::SmtpAuth | Door::Imap | Door::Pop)
    }

    pub(super) fn protocol(self) -> &'static str {
        if self.legacy() { "ropc" } else { "oAuth2" }
    }

    pub(super) fn agent(self) -> &'static str {
        match self {
            Door::Browser | Door::SecurityInfo => {
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/106.0.0.0 Safari/537.36"
            }
            Door::Outlook => "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14326; Pro)",
            Door::Phone => "Outlook-iOS/2.0",
            Door::Teams => "Microsoft Teams/1.5.00.28361 (Windows NT 10.0; Win64; x64)",
            Door::SmtpAuth | Door::Imap | Door::Pop => "BAV2ROPC",
        }
    }

    pub(super) fn system(self) -> &'static str {
        match self {
            Door::Browser | Door::Outlook | Door::Teams | Door::SecurityInfo => "Windows 10",
            Door::Phone => "Ios",
            Door::SmtpAuth | Door::Imap | Door::Pop => "",
        }
    }

    pub(super) fn browser(self) -> &'static str {
        match self {
            Door::Browser | Door::SecurityInfo => "Chrome 106.0.0",
            Door::Outlook | Door::Teams => "Rich Client 4.46.0.0",
            Door::Phone => "Mobile Safari",
            Door::SmtpAuth | Door::Imap | Door::Pop => "",
        }
    }
}

impl SignIn {
    pub(super) fn account<'a>(&self, directory: &'a Directory) -> Option<&'a Account> {
        match self.who {
            Who::Account(number) => directory.accounts.get(number),
            Who::Nobody(_) => None,
        }
    }

    /// The name as it was given.
    pub(super) fn upn<'a>(&'a self, directory: &'a Directory) -> &'a str {
        match &self.who {
            Who::Nobody(name) => name,
            Who::Account(_) => self.account(directory).map_or("", |account| &account.upn),
        }
    }

    pub(super) fn name<'a>(&'a self, directory: &'a Directory) -> &'a str {
        self.account(directory).map_or("", |account| &account.name)
    }

    pub(super) fn user_id(&self, directory: &Directory) -> Guid {
        self.account(directory).map_or(Guid::NIL, |account| account.id)
    }

    pub(super) fn place(&self) -> Whereabouts {
        locate(self.from)
    }

    /// `multiFactorAuthentication` where the account must use it, else `singleFactorAuthentication`.
    pub(super) fn requirement(&self) -> &'static str {
        let asked = matches!(self.code, Code::StrongAuthentication | Code::StrongAuthenticationByPolicy | Code::StrongAuthenticationFailed);
        if asked || self.proof == Proof::PasswordAndPhone { "multiFactorAuthentication" } else { "singleFactorAuthentication" }
    }

    /// The result of the tenant's policies.
    pub(super) fn policy(&self) -> Policy {
        match self.code {
            Code::BlockedByPolicy | Code::StrongAuthenticationByPolicy => Policy::Failure,
            Code::Success if self.proof == Proof::PasswordAndPhone => Policy::Success,
            _ => Policy::NotApplied,
        }
    }

    pub(super) fn token(&self) -> &'static str {
        match self.proof {
            Proof::Password | Proof::PasswordAndPhone => "none",
            Proof::RefreshToken => "refreshToken",
            Proof::PrimaryRefreshToken => "primaryRefreshToken",
        }
    }

    /// What the user did to be let in.
    pub(super) fn methods(&self) -> Vec<Method> {
        if self.token() != "none" {
            let result = "MFA requirement satisfied by claim in the token";
            let requirement = "Primary authentication";
            return vec![Method { name: "Previously satisfied", detail: "", succeeded: true, result, requirement }];
        }
        let passed = self.code.password_passed();
        let result = if passed { "Correct password" } else { "Invalid username or password or Invalid on-premise username or password." };
        let detail = "Password in the cloud";
        let mut methods = Vec::new();
        if !matches!(self.code, Code::NoSuchUser | Code::NoSession) {
            methods.push(Method { name: "Password", detail, succeeded: passed, result, requirement: "Primary authentication" });
        }
        if self.proof == Proof::PasswordAndPhone {
            let succeeded = self.code == Code::Success;
            let result = if succeeded { "MFA completed in Azure AD" } else { "MFA denied; user declined the authentication" };
            methods.push(Method {
                name: "Mobile app notification",
                detail: "",
                succeeded,
                result,
                requirement: "Additional authentication",
            });
        }
        methods
    }

    /// The token's own name of the request: the bytes of its id in base64.
    pub(super) fn unique_token(&self) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::with_capacity(22);
        for chunk in self.id.bytes().chunks(3) {
            let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            let digits = (0..=chunk.len()).map(|place| ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]);
            text.extend(digits.map(char::from));
        }
        text
    }

    /// How long the service took, in milliseconds: a small number that belongs to the record.
    pub(super) fn latency(&self) -> i64 {
        60 + self.at.rem_euclid(397)
    }
}

/// The result of conditional access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    Success,
    Failure,
    NotApplied,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::m365::guid::Kind;

    #[test]
    fn the_unique_token_is_the_id_in_base64() {
        let step = SignIn {
            at: 0,
            id: Guid::known(0x00000002_0000_0ff1_ce00_000000000000),
            correlation: Guid::of(1, Kind::Correlation, 1),
            session: Guid::NIL,
            who: Who::Nobody("x@dept.u.example".to_owned()),
            from: "203.0.113.7".parse().unwrap(),
            door: Door::SmtpAuth,
            code: Code::NoSuchUser,
            proof: Proof::Password,
            interactive: true,
        };
        assert_eq!(step.unique_token(), "AgAAAAAA8Q_OAAAAAAAAAA");
        assert_eq!(step.methods(), []);
    }
}
