//! The files of an export, record by record on their way to the folder.

use crate::domain::time::SECOND;
use crate::simulate::SimulateError;
use crate::simulate::output::Sink;
use crate::simulate::truth::HostTotals;
use std::path::PathBuf;

/// An export into folders below `logs`. All files are dated by the time of the export.
pub(super) struct Export {
    sink: Sink,
    logs: PathBuf,
    exported: i64,
    totals: Vec<HostTotals>,
}

/// How the text of a file is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    /// With a mark at the start.
    MarkedUtf8,
    /// Little end first, without a mark.
    Utf16,
}

/// A file that is being written.
pub(super) struct Sheet<'a> {
    sink: &'a mut Sink,
    encoding: Encoding,
    /// Text that waits to be encoded.
    text: Vec<u8>,
    records: u64,
}

impl Export {
    pub(super) fn new(logs: PathBuf, exported: i64) -> Export {
        Export { sink: Sink::start(), logs, exported, totals: Vec::new() }
    }

    /// Writes a file in one of the folders.
    pub(super) fn file(&mut self, folder: &'static str, path: &str, encoding: Encoding, fill: impl FnOnce(&mut Sheet)) {
        self.sink.open(self.logs.join(folder).join(path));
        if encoding == Encoding::MarkedUtf8 {
            self.sink.buffer().extend(b"\xef\xbb\xbf");
        }
        let before = self.sink.bytes;
        let mut sheet = Sheet { sink: &mut self.sink, encoding, text: Vec::new(), records: 0 };
        fill(&mut sheet);
        let lines = sheet.records;
        self.sink.close(self.exported.div_euclid(SECOND));
        let bytes = self.sink.bytes - before;
        match self.totals.iter_mut().find(|total| total.host == folder) {
            Some(total) => {
                total.lines += lines;
                total.bytes += bytes;
            }
            None => self.totals.push(HostTotals { host: folder, lines, bytes }),
        }
    }

    /// Waits until all is written; gives the records and bytes of each folder.
    pub(super) fn finish(self) -> Result<Vec<HostTotals>, SimulateError> {
        self.sink.finish()?;
        Ok(self.totals)
    }
}

impl Sheet<'_> {
    /// Writes text that is no record: a head, a bracket, a comma.
    pub(super) fn text(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        if self.encoding != Encoding::Utf16 {
            put(self.sink.buffer());
        } else {
            self.text.clear();
            put(&mut self.text);
            let units = String::from_utf8_lossy(&self.text);
            self.sink.buffer().extend(units.encode_utf16().flat_map(u16::to_le_bytes));
        }
        self.sink.settle();
    }

    /// Writes the head of a table, which readers of lines count as one.
    pub(super) fn head(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        self.record(put);
    }

    /// Writes one record.
    pub(super) fn record(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        self.text(put);
        self.records += 1;
    }

    /// Writes records with commas between.
    pub(super) fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut put: impl FnMut(&mut Vec<u8>, T)) {
        for (number, item) in items.into_iter().enumerate() {
            if number > 0 {
                self.text(|out| out.push(b','));
            }
            self.record(|out| put(out, item));
        }
    }
}
