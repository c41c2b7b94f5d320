/**
 * A PDF of one page of 100 × 100 points (ISO 32000-1): a red rectangle at the lower left, a green
 * sign of the standard font ZapfDingbats at the lower right, and a note at the top.
 */
export function smallPdf(): Buffer {
  const content = [
    '1 0 0 rg 10 10 40 40 re f',
    'BT 0 0.5 0 rg /F1 40 Tf 60 15 Td (n) Tj ET', // a square that is filled
  ].join('\n');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R
      /Resources << /Font << /F1 5 0 R >> >> /Annots [6 0 R] >>`,
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>',
    '<< /Type /Annot /Subtype /Text /Rect [70 70 90 90] /Name /Comment /Contents (A note.) >>',
  ];
  let text = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const table = ['0000000000 65535 f \n', ...offsets];
  const trailer = `trailer\n<< /Size ${table.length} /Root 1 0 R >>`;
  return Buffer.from(
    `${text}xref\n0 ${table.length}\n${table.join('')}${trailer}\nstartxref\n${text.length}\n%%EOF\n`,
    'latin1',
  );
}
