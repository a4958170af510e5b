//! What the number of a sign-in's result means: one table, by Microsoft's reference of error codes
//! (learn.microsoft.com/entra/identity-platform/reference-error-codes) and what conditional access says of the order of its checks.
//!
//! Policies and second factors are checked after the password: what they stop had the right one.

use crate::formats::event::LoginResult;

/// What a result says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Success,
    BadPassword,
    NoSuchUser,
    /// Locked out, or an address of ill repute: the password was not looked at.
    Refused,
    AccountState,
    SecondFactor,
    Policy,
    /// Says nothing of the account: the service's own machinery, an application's consent or settings.
    Machinery,
    /// A session or a token that is missing or ran out.
    Session,
    /// A page in between.
    Interrupt,
}

/// Whether the password was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Password {
    Right,
    Unknown,
}

use Class::{AccountState, BadPassword, Interrupt, Machinery, NoSuchUser, Policy, Refused, SecondFactor, Session, Success};
use Password::{Right, Unknown};

/// From the first code to the last one: the class, and what is known of the password.
const TABLE: &[(u32, u32, Class, Password)] = &[
    (0, 0, Success, Right),
    (16000, 16003, Interrupt, Unknown),
    (50011, 50011, Machinery, Unknown),
    (50020, 50020, NoSuchUser, Unknown),
    (50034, 50034, NoSuchUser, Unknown),
    (50053, 50053, Refused, Unknown),
    (50055, 50055, AccountState, Right),
    (50056, 50056, BadPassword, Unknown),
    (50057, 50057, AccountState, Unknown),
    (50058, 50059, Session, Unknown),
    (50064, 50064, BadPassword, Unknown),
    (50072, 50072, SecondFactor, Right),
    (50074, 50074, SecondFactor, Right),
    (50076, 50076, SecondFactor, Right),
    (50078, 50079, SecondFactor, Right),
    (50089, 50089, Session, Unknown),
    (50097, 50097, Policy, Unknown),
    (50105, 50105, Policy, Right),
    (50125, 50125, SecondFactor, Right),
    (50126, 50126, BadPassword, Unknown),
    (50127, 50127, Interrupt, Unknown),
    (50129, 50129, Interrupt, Unknown),
    (50131, 50131, Policy, Unknown),
    (50132, 50133, Session, Unknown),
    (50135, 50135, AccountState, Right),
    // The question whether to stay signed in comes after the password was accepted.
    (50140, 50140, Success, Right),
    (50143, 50143, Interrupt, Unknown),
    (50144, 50144, AccountState, Right),
    (50158, 50158, SecondFactor, Right),
    (50173, 50173, Session, Unknown),
    (50196, 50196, Session, Unknown),
    (50199, 50199, Interrupt, Unknown),
    (51004, 51004, NoSuchUser, Unknown),
    (51006, 51006, Interrupt, Unknown),
    (52004, 52004, Interrupt, Unknown),
    (53000, 53001, Policy, Right),
    (53002, 53002, Policy, Unknown),
    (53003, 53004, Policy, Right),
    (53011, 53011, Policy, Unknown),
    (54005, 54005, Session, Unknown),
    (65001, 65001, Machinery, Unknown),
    (65004, 65004, Machinery, Unknown),
    (70000, 70000, Session, Unknown),
    (70008, 70008, Session, Unknown),
    (70016, 70016, Interrupt, Unknown),
    (70018, 70019, Interrupt, Unknown),
    (70043, 70044, Session, Unknown),
    (80001, 80014, Machinery, Unknown),
    (81004, 81014, Machinery, Unknown),
    (90072, 90072, NoSuchUser, Unknown),
    (90094, 90095, Machinery, Unknown),
    (500_011, 500_011, Machinery, Unknown),
    (500_121, 500_121, SecondFactor, Right),
    (530_032, 530_032, Policy, Right),
    (530_034, 530_035, Policy, Unknown),
    (700_003, 700_003, Session, Unknown),
    (700_016, 700_016, Machinery, Unknown),
    (700_082, 700_084, Session, Unknown),
    (7_000_215, 7_000_222, Machinery, Unknown),
];

/// Looks a code up; `None` for one that is not in the table.
pub(super) fn of_code(code: u32) -> Option<(Class, Password)> {
    let above = TABLE.partition_point(|(first, ..)| *first <= code);
    let (_, last, class, password) = TABLE.get(above.checked_sub(1)?)?;
    (code <= *last).then_some((*class, *password))
}

/// The code that the audit log's name of an error stands for, where the record has no number.
pub(super) fn code_of_error(name: &[u8]) -> Option<u32> {
    let known: [(&[u8], u32); 9] = [
        (b"InvalidUserNameOrPassword", 50126),
        (b"InvalidPasswordExpiredPassword", 50055),
        (b"UserAccountNotFound", 50034),
        (b"IdsLocked", 50053),
        (b"UserStrongAuthClientAuthNRequiredInterrupt", 50074),
        (b"UserStrongAuthClientAuthNRequired", 50074),
        (b"UserStrongAuthEnrollmentRequiredInterrupt", 50072),
        (b"BlockedByConditionalAccess", 53003),
        (b"UserDisabled", 50057),
    ];
    known.iter().find(|(error, _)| name.eq_ignore_ascii_case(error)).map(|(_, code)| *code)
}

/// What a sign-in's result is for the account. `token`: no password was shown, so none can be known from it.
pub(super) fn result(code: u32, token: bool) -> LoginResult {
    match of_code(code) {
        Some((Success, _)) => LoginResult::Success,
        Some((_, Right)) if !token => LoginResult::Stopped,
        Some((SecondFactor | AccountState, Right)) => LoginResult::Interrupted,
        Some((Machinery | Session | Interrupt, _)) => LoginResult::Interrupted,
        _ if token => LoginResult::Interrupted,
        _ => LoginResult::Failure { attempts: 1 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(TABLE.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert!(TABLE.iter().all(|(first, last, ..)| first <= last));
    }

    #[test]
    fn trap_10_a_second_factor_or_a_policy_that_stops_a_login_shows_a_right_password() {
        for code in [50074, 50076, 50079, 50158, 500_121, 53003, 53000, 50055] {
            assert_eq!(result(code, false), LoginResult::Stopped, "{code}");
            assert_eq!(result(code, true), LoginResult::Interrupted, "{code}");
        }
        for code in [50126, 50034, 50053, 50057, 53011, 123_456_789] {
            assert_eq!(result(code, false), LoginResult::Failure { attempts: 1 }, "{code}");
        }
        for code in [50058, 65001, 700_082, 80012, 16000] {
            assert_eq!(result(code, false), LoginResult::Interrupted, "{code}");
        }
        assert_eq!((result(0, false), result(50140, false)), (LoginResult::Success, LoginResult::Success));
    }
}
