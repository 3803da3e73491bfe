//! What an error of the file system speaks of: room, this process, one operation, or the whole file system. It must
//! not know what is done about it.

use rustix::io::Errno;
use std::io;

/// What an error is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IoCause {
    /// There is no room, or no quota: the same call works once there is.
    Full,
    /// This process has too much open or too little memory; the disk is not to blame.
    Process,
    /// This call failed, as an error of the device does: others may work.
    Call,
    /// The file system is read-only, or gone with its device or server: no call on it will work.
    Gone,
}

/// Tells errors apart by their errno; errors without one are about the call.
pub fn io_cause(error: &io::Error) -> IoCause {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOSPC | Errno::DQUOT) => IoCause::Full,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::INTR | Errno::AGAIN) => IoCause::Process,
        Some(
            Errno::ROFS
            | Errno::NODEV
            | Errno::NXIO
            | Errno::STALE
            | Errno::NOTCONN
            | Errno::SHUTDOWN
            | Errno::UCLEAN
            | Errno::NOMEDIUM,
        ) => IoCause::Gone,
        _ => match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => IoCause::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StaleNetworkFileHandle => IoCause::Gone,
            _ => IoCause::Call,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_one_that_fails_and_from_one_that_is_gone() {
        for (errno, cause) in [
            (Errno::NOSPC, IoCause::Full),
            (Errno::MFILE, IoCause::Process),
            (Errno::IO, IoCause::Call),
            (Errno::NOENT, IoCause::Call),
            (Errno::ROFS, IoCause::Gone),
            (Errno::NODEV, IoCause::Gone),
        ] {
            assert_eq!(io_cause(&errno.into()), cause, "{errno}");
        }
        assert_eq!(io_cause(&io::Error::other("x")), IoCause::Call);
        assert_eq!(io_cause(&io::ErrorKind::StorageFull.into()), IoCause::Full);
    }
}
