/*
 * A small writer of PDF 1.4 (ISO 32000-1): pages of A4 with text in the two standard Helvetica fonts and lines. No font is
 * embedded, so that characters outside Windows-1252 are written without their marks, or as `?`.
 */

const [WIDTH, HEIGHT] = [595, 842];
const MARGIN = 50;
/** Of Helvetica, from the space on, in thousandths of the size (Adobe Core 14 AFM). */
const WIDTHS =
  `278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584
584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278
469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584`
    .split(/\s+/)
    .map(Number);
/** Windows-1252 where it differs from Latin-1. */
const CP1252: Record<string, number> = {
  '€': 0x80,
  '…': 0x85,
  '‘': 0x91,
  '’': 0x92,
  '“': 0x93,
  '”': 0x94,
  '–': 0x96,
  '—': 0x97,
};

export interface Column {
  title: string;
  /** Points from the left margin; a right-aligned column ends there. */
  at: number;
  right?: boolean;
  /** Wider text is cut. */
  width: number;
}

/** Writes from the top down and begins a new page by itself. */
export class Pdf {
  readonly #title: string;
  readonly #pages: string[][] = [];
  #y = 0;

  constructor({ title }: { title: string }) {
    this.#title = title;
  }

  heading(text: string, size = 13): this {
    this.#room(size * 2.4);
    this.#y -= size * 1.4;
    this.#text(MARGIN, text, size, true);
    this.#y -= size * 0.6;
    return this;
  }

  /** Words, broken where the line ends. */
  paragraph(text: string, size = 9): this {
    let line = '';
    for (const word of text.split(/\s+/)) {
      if (line !== '' && widthOf(`${line} ${word}`, size) > WIDTH - 2 * MARGIN) {
        this.#line(line, size);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    if (line !== '') this.#line(line, size);
    return this;
  }

  facts(rows: (readonly [name: string, value: string])[], size = 9.5): this {
    for (const [name, value] of rows) {
      this.#room(size * 1.5);
      this.#y -= size * 1.5;
      this.#text(MARGIN, name, size);
      this.#text(MARGIN + 170, cut(value || '–', size, WIDTH - 2 * MARGIN - 170), size, true);
    }
    return this;
  }

  /** Its head stands again on every page; nothing in a cell is a dash. */
  table(columns: Column[], rows: string[][], size = 9): this {
    const step = size * 1.55;
    const write = (cells: string[], bold: boolean) => {
      this.#y -= step;
      for (const [i, column] of columns.entries()) {
        const text = cut(cells[i] || '–', size, column.width);
        const x = MARGIN + column.at - (column.right ? widthOf(text, size) : 0);
        this.#text(x, text, size, bold);
      }
    };
    const head = () => {
      write(
        columns.map((column) => column.title),
        true,
      );
      const y = (this.#y - 3).toFixed(1);
      this.#pages.at(-1)?.push(`0.5 w ${MARGIN} ${y} m ${WIDTH - MARGIN} ${y} l S`);
      this.#y -= 3;
    };
    this.#room(step * 3);
    head();
    for (const row of rows) {
      if (this.#room(step)) head();
      write(row, false);
    }
    return this;
  }

  gap(points: number): this {
    this.#y -= points;
    return this;
  }

  /** The whole file. */
  bytes(): Buffer {
    const count = Math.max(1, this.#pages.length);
    const pages = this.#pages.map((lines, i) =>
      [
        ...lines,
        text(MARGIN, 28, `${this.#title}`, 7.5),
        text(WIDTH - MARGIN - 40, 28, `${i + 1} / ${count}`, 7.5),
      ].join('\n'),
    );
    const font = (name: string) => `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`;
    const kids = pages.map((_, i) => `${6 + i * 2} 0 R`).join(' ');
    const objects = [
      '<< /Type /Catalog /Pages 2 0 R /Lang (en) >>',
      `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
      font('Helvetica'),
      font('Helvetica-Bold'),
      `<< /Title (${quoted(this.#title)}) /Producer (Gatepost) >>`,
      ...pages.flatMap((content, i) => [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${WIDTH} ${HEIGHT}] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents ${7 + i * 2} 0 R >>`,
        `<< /Length ${Buffer.byteLength(content, 'latin1')} >>\nstream\n${content}\nendstream`,
      ]),
    ];
    let out = '%PDF-1.4\n%\xE2\xE3\xCF\xD3\n';
    const offsets = objects.map((object, i) => {
      const offset = out.length;
      out += `${i + 1} 0 obj\n${object}\nendobj\n`;
      return offset;
    });
    const start = out.length;
    out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
    out += offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
    out += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 5 0 R >>\nstartxref\n${start}\n%%EOF\n`;
    return Buffer.from(out, 'latin1');
  }

  /** Begins a new page when this does not fit; true when it did. */
  #room(points: number): boolean {
    if (this.#pages.length > 0 && this.#y - points > MARGIN) return false;
    this.#pages.push([]);
    this.#y = HEIGHT - MARGIN;
    return true;
  }

  #line(words: string, size: number): void {
    this.#room(size * 1.45);
    this.#y -= size * 1.45;
    this.#text(MARGIN, words, size);
  }

  #text(x: number, words: string, size: number, bold = false): void {
    this.#pages.at(-1)?.push(text(x, this.#y, words, size, bold));
  }
}

const text = (x: number, y: number, words: string, size: number, bold = false): string =>
  `BT /F${bold ? 2 : 1} ${size} Tf ${x.toFixed(1)} ${y.toFixed(1)} Td (${quoted(words)}) Tj ET`;

const quoted = (words: string): string => latin(words).replaceAll(/[\\()]/g, '\\$&');

/** As bytes of Windows-1252, one character each. */
function latin(words: string): string {
  const one = (c: string) => {
    const code = c.codePointAt(0) as number;
    if ((code >= 32 && code < 127) || (code >= 160 && code < 256)) return c;
    return CP1252[c] === undefined ? null : String.fromCharCode(CP1252[c]);
  };
  return [...words.normalize('NFC')].map((c) => one(c) ?? one(c.normalize('NFKD').charAt(0)) ?? '?').join('');
}

const widthOf = (words: string, size: number): number =>
  ([...latin(words)].reduce((sum, c) => sum + (WIDTHS[c.charCodeAt(0) - 32] ?? 556), 0) * size) / 1000;

function cut(words: string, size: number, width: number): string {
  if (widthOf(words, size) <= width) return words;
  let shorter = words;
  while (shorter.length > 1 && widthOf(`${shorter}…`, size) > width) shorter = shorter.slice(0, -1);
  return `${shorter}…`;
}
