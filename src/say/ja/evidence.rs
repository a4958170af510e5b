//! Japanese of what befell the evidence: files, archives and lines that could not be read as they should.

super::catalogue! {
    // Lines.
    "no time stamp" => "時刻なし",
    "impossible time stamp" => "あり得ない時刻",
    "no program name" => "プログラム名なし",
    "unreadable body" => "本文を解釈できず",
    "not text" => "テキストではない",
    "several records in one line, parted by carriage returns" => "一行に複数の記録（復帰文字で区切られている）",
    "torn row" => "途切れた行",
    "row without a heading" => "見出しのない行",
    // Sources.
    "no log of a known format; not read" => "既知の形式のログではないため読まなかった",
    "{path}: {what}" => "{path}: {what}",
    "{line}: {why}" => "{line}: {why}",
    "its newest line stands first: it was read from its end to its beginning" => "新しい行が先頭にあるため、末尾から先頭へ読み取った",
    "time goes back by more than a minute {n} time(s)" => "時刻が 1 分を超えて {n} 回逆行",
    "{n} line(s) lie in the autumn hour that comes twice" => "{n} 行は夏時間終了時の重複する 1 時間にある",
    "{n} line(s) tell a time of their own that does not fit the zone {zone}; give --log-tz if the clock changed to or from summer time" =>
        "{n} 行が自ら示す時刻は時刻帯 {zone} と合わない。夏時間との切り替えがあった場合は --log-tz を指定すること",
    "the log runs on after the time its file was written: its year may be wrong, give --year" =>
        "ファイルの書き込み日時より後の記録がある。年が誤っている可能性があるため --year を指定すること",
    "{n} line(s) longer than 1 MiB were cut" => "1 MiB を超える {n} 行を切り詰めた",
    "{n} record(s) break off within a cell, and what stood behind that is lost; the first is line {line}" =>
        "{n} 件の記録がセルの途中で途切れており、以降の内容は失われた（最初は {line} 行目）",
    "no usable line in it" => "利用できる行がない",
    "{n} of {all} lines cannot be read; the first is line {first}" => "{all} 行中 {n} 行を解釈できない（最初は {first} 行目）",
    "{n} of {all} lines cannot be read" => "{all} 行中 {n} 行を解釈できない",
    "no usable record in the evidence" => "証跡に利用できる記録がない",
    // Compressed data.
    "corrupt data" => "データの破損",
    "it asks for more than {n} bytes of memory" => "{n} バイトを超えるメモリーを要求",
    "it uses an unknown method" => "未知の方式",
    "its {name} data is damaged at byte {n} ({why}); what comes after is lost" => "{name} データが {n} バイト目で破損（{why}）。以降は失われた",
    "its {name} data ends too early: it was cut off after {n} decoded bytes" => "{name} データが展開後 {n} バイトで途切れている",
    "its {name} data leads nowhere after {n} decoded bytes" => "{name} データが展開後 {n} バイトから先に進まない",
    "reading stopped after {n} decoded bytes because its {name} data unpacks to more than {ratio} times its size; --limit-ratio allows more" =>
        "{name} データの展開後のサイズが {ratio} 倍を超えるため、{n} バイトで読み取りを中止。--limit-ratio で上限を変更できる",
    "after the end of its {name} data, at byte {n}, lie bytes that are none; they were not read" =>
        "{name} データの終端より後（{n} バイト目以降）に別のデータがあり、読んでいない",
    "its next {name} stream cannot be decoded: {error}" => "次の {name} ストリームを展開できない: {error}",
    // Reading.
    "{path} cannot be opened any more: {cause}; check that the evidence is still in place and readable" =>
        "{path} を開けなくなった: {cause}。証跡が元の場所にあり読み取れるか確認すること",
    "reading stopped because the evidence unpacks to more than {n} bytes in all; --limit-bytes allows more" =>
        "証跡の展開後の合計が {n} バイトを超えるため読み取りを中止。--limit-bytes で上限を変更できる",
    "{path}: cannot be hashed: {cause}" => "{path}: ハッシュ値を計算できない: {cause}",
    "the archive around it: {what}" => "これを含む書庫: {what}",
    "it ends after {read} of {listed} bytes" => "{listed} バイト中 {read} バイトで終わっている",
    "it has {read} bytes where the archive's list says {listed}" => "書庫の一覧では {listed} バイトだが、実際は {read} バイト",
    "the file changed while it was read: {listed} bytes when listed, {read} when read" =>
        "読み取り中にファイルが変化した（一覧時 {listed} バイト、読み取り時 {read} バイト）",
    "its content does not match the checksum in the archive" => "内容が書庫のチェックサムと一致しない",
    "it cannot be read past byte {n}: {error}" => "{n} バイト目より先を読み取れない: {error}",
    "cannot be read: {error}" => "読み取れない: {error}",
    "cannot be read past byte {n}: {error}" => "{n} バイト目より先を読み取れない: {error}",
    "gives more than {n} bytes, and the rest was not read; write it to a file and give its path" =>
        "{n} バイトを超えるため残りを読んでいない。ファイルに書き出してそのパスを指定すること",
    "is an archive inside {n} others, more than are opened; unpack the outer ones and give the result" =>
        "{n} 重の書庫の中にある書庫であり、開く上限を超える。外側を展開して指定すること",
    "is nothing but zero bytes: an empty tar archive, or a log that was wiped; {n} bytes" =>
        "全体がゼロのバイト列（{n} バイト）。空の tar 書庫か、消去されたログ",
    "is a {name} archive, which is not read; unpack it and give the folder" => "{name} 書庫は読み取りに対応していない。展開してフォルダーを指定すること",
    "is {name} data inside {n} others; unpack it and give the result" => "{n} 重の圧縮の中にある {name} データ。展開して指定すること",
    // Tar archives, links and devices.
    "is a tar archive that cannot be read: {error}" => "読み取れない tar 書庫: {error}",
    "could not be listed in full: {what}" => "一覧の全体を得られなかった: {what}",
    "is damaged after {n} members ({error}); what comes after is lost" => "{n} 個目のファイルより後で破損（{error}）。以降は失われた",
    "is a symbolic link to {target} and was not followed" => "{target} へのシンボリックリンクであり、たどらなかった",
    "is a device or pipe and was passed over" => "デバイスまたはパイプのため読み飛ばした",
    "is of an unknown kind ({kind}) and was passed over" => "未知の種類（{kind}）のため読み飛ばした",
    "is a hard link to {target}, which is not in the archive; its content is missing" =>
        "書庫にない {target} へのハードリンクであり、内容が欠落している",
    "has no end marker after its {n} members; it was cut off, and members may be missing" =>
        "{n} 個のファイルの後に終端の印がない。途中で切れており、ファイルが欠落している可能性がある",
    "is stored as a sparse file, which is not read; unpack the archive and give the folder" =>
        "スパースファイルとして格納されており、読み取りに対応していない。書庫を展開してフォルダーを指定すること",
    "is a device or socket and cannot be evidence; give files, folders or - for standard input" =>
        "デバイスまたはソケットは証跡にできない。ファイル、フォルダー、または標準入力を表す - を指定すること",
    "is a device, socket or pipe and was passed over" => "デバイス、ソケットまたはパイプのため読み飛ばした",
    "an unknown place" => "不明な場所",
    "is a symbolic link to {target}, outside the evidence, and was not followed; give that path too if it is evidence" =>
        "証跡の外にある {target} へのシンボリックリンクであり、たどらなかった。証跡であればそのパスも指定すること",
    "is a symbolic link to {target}, which does not exist here; if that was a log, it is missing" =>
        "ここに存在しない {target} へのシンボリックリンク。ログであったなら欠落している",
    // Zip archives.
    "is a zip archive that cannot be read: {error}" => "読み取れない zip 書庫: {error}",
    "is a zip archive whose list of members cannot be read ({error}); it was cut off or damaged; what can be saved of it by a repair program (zip -FF) can be given instead" =>
        "ファイル一覧を読み取れない zip 書庫（{error}）。途中で切れたか破損している。修復プログラム（zip -FF）で救出したものを代わりに指定できる",
    "is a zip archive inside compressed data and too large to be held in memory; unpack it and give the folder" =>
        "圧縮データ内の zip 書庫であり、メモリーに保持するには大きすぎる。展開してフォルダーを指定すること",
    "could not be read in full: {what}" => "全体を読み取れなかった: {what}",
    "is a symbolic link and was not followed" => "シンボリックリンクであり、たどらなかった",
    "is encrypted and was not read; unpack the archive with its password and give the folder" =>
        "暗号化されており読んでいない。パスワードで書庫を展開してフォルダーを指定すること",
    "cannot be found in the archive: {error}" => "書庫内に見つからない: {error}",
    "points outside the archive" => "書庫の外を指している",
    "is packed by a method that is not read ({method}); unpack the archive and give the folder" =>
        "対応していない方式（{method}）で圧縮されている。書庫を展開してフォルダーを指定すること",
}
