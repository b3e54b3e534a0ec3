/** Counts with thousands set apart in every language; Italian alone would leave four digits together. */
export const numberFormat = (language: string): Intl.NumberFormat => new Intl.NumberFormat(language, { useGrouping: 'always' });
