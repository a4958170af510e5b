//! Writes a small MaxMind DB (<https://maxmind.github.io/MaxMind-DB/>), so that no test needs one from anywhere.

/// A value of the data section.
pub(crate) enum Value {
    Text(&'static str),
    Double(f64),
    Number(u32),
    Map(Vec<(&'static str, Value)>),
}

impl Value {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Text(text) => write_text(out, text),
            Value::Double(number) => {
                out.push(3 << 5 | 8);
                out.extend(number.to_be_bytes());
            }
            Value::Number(number) => {
                out.push(6 << 5 | 4);
                out.extend(number.to_be_bytes());
            }
            Value::Map(entries) => {
                out.push(7 << 5 | entries.len() as u8);
                for (key, value) in entries {
                    write_text(out, key);
                    value.write(out);
                }
            }
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    match text.len() {
        short @ 0..29 => out.push(2 << 5 | short as u8),
        long => out.extend([2 << 5 | 29, (long - 29) as u8]),
    }
    out.extend(text.as_bytes());
}

/// Where a branch of the tree leads.
#[derive(Clone, Copy)]
enum Branch {
    Nowhere,
    Node(u32),
    Data(u32),
}

/// A database of IPv4 networks, each with its record.
pub(crate) fn database(kind: &'static str, networks: &[([u8; 4], u8, Value)]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut nodes = vec![[Branch::Nowhere; 2]];
    for (address, length, value) in networks {
        let offset = data.len() as u32;
        value.write(&mut data);
        let bits = u32::from_be_bytes(*address);
        let mut at = 0;
        for depth in 0..*length {
            let bit = (bits >> (31 - depth) & 1) as usize;
            if depth + 1 == *length {
                nodes[at][bit] = Branch::Data(offset);
            } else if let Branch::Node(next) = nodes[at][bit] {
                at = next as usize;
            } else {
                let next = nodes.len();
                nodes.push([Branch::Nowhere; 2]);
                nodes[at][bit] = Branch::Node(next as u32);
                at = next;
            }
        }
    }
    let count = nodes.len() as u32;
    let mut out = Vec::new();
    for branch in nodes.iter().flatten() {
        let record = match branch {
            Branch::Nowhere => count,
            Branch::Node(node) => *node,
            Branch::Data(offset) => count + 16 + offset,
        };
        out.extend(&record.to_be_bytes()[1..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    write_metadata(&mut out, kind, count);
    out
}

fn write_metadata(out: &mut Vec<u8>, kind: &'static str, count: u32) {
    let small = |out: &mut Vec<u8>, key: &str, number: u16| {
        write_text(out, key);
        out.push(5 << 5 | 2);
        out.extend(number.to_be_bytes());
    };
    out.push(7 << 5 | 9);
    small(out, "binary_format_major_version", 2);
    small(out, "binary_format_minor_version", 0);
    small(out, "ip_version", 4);
    small(out, "record_size", 24);
    write_text(out, "build_epoch");
    // An unsigned number of 64 bits is of an extended type: 7 and 2.
    out.extend([8, 2]);
    out.extend(1_664_582_400_u64.to_be_bytes());
    write_text(out, "database_type");
    write_text(out, kind);
    write_text(out, "description");
    Value::Map(Vec::new()).write(out);
    write_text(out, "languages");
    // An empty list: 7 and 4.
    out.extend([0, 4]);
    write_text(out, "node_count");
    Value::Number(count).write(out);
}
