/** Mantine bent to the design: petrol, stone and slate, one control height, its roles pointed at our tokens (styles/tokens.css). */
import { ActionIcon, Button, Input, Menu, createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

// Petrol: the one brand colour. It marks what you can act on and where you are. It is never a status.
const petrol: MantineColorsTuple = ['#eef6f8', '#dcebef', '#bcd9e0', '#93c2ce', '#67a8b8', '#3f8fa2', '#1f7589', '#0e5e70', '#0b4e5d', '#083c48'];
// Stone: warm neutral greys for the light scheme.
const gray: MantineColorsTuple = ['#fafaf8', '#f4f4f1', '#edece8', '#e3e2dd', '#d3d2cc', '#b5b4ae', '#8e8f8b', '#656a6d', '#4a4f52', '#17191a'];
// Slate: neutral darks. Mantine reads `dark` for every surface of the dark scheme.
const dark: MantineColorsTuple = ['#ecedee', '#b6bbbe', '#92989c', '#6b7175', '#3a3e42', '#2b2f32', '#202326', '#17191b', '#121415', '#0c0e0f'];

export const theme = createTheme({
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 3 }, // 7.4:1 white on petrol.7; dark ink on petrol.3 in the dark scheme
  autoContrast: true,
  luminanceThreshold: 0.3,
  colors: { petrol, gray, dark },
  black: '#17191a',
  white: '#ffffff',
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, monospace",
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px', lg: '24px', xl: '28px' },
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '20px', lineHeight: '28px' }, h2: { fontSize: '14px', lineHeight: '20px' }, h3: { fontSize: '13px', lineHeight: '20px' } } },
  spacing: { xs: '4px', sm: '8px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '8px', xl: '12px' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  shadows: {
    xs: 'none',
    sm: '0 1px 2px rgb(15 20 22 / .06)',
    md: '0 4px 16px rgb(15 20 22 / .08), 0 0 0 1px rgb(15 20 22 / .06)',
    lg: '0 12px 32px rgb(15 20 22 / .14), 0 0 0 1px rgb(15 20 22 / .06)',
    xl: '0 24px 64px rgb(15 20 22 / .18), 0 0 0 1px rgb(15 20 22 / .06)',
  },
  components: {
    // Every control is 32 px high, 13 px text: one row height for buttons, inputs, segmented controls.
    Button: Button.extend({
      defaultProps: { size: 'sm' },
      vars: (_t, p) => ({ root: p.size === 'lg' ? { '--button-height': '40px', '--button-padding-x': '16px', '--button-fz': '14px' }
        : p.size === 'xs' ? { '--button-height': '24px', '--button-padding-x': '8px', '--button-fz': '12px' }
        : { '--button-height': '32px', '--button-padding-x': '12px', '--button-fz': '13px' } }),
      styles: { root: { fontWeight: 500 }, section: { marginInlineEnd: 6 } },
    }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: 'subtle', color: 'gray', size: 28 } }),
    Input: Input.extend({ vars: (_t, p) => ({ wrapper: p.size === 'lg' ? { '--input-height': '40px', '--input-size': '40px', '--input-fz': '14px' } : { '--input-height': '32px', '--input-size': '32px', '--input-fz': '13px', '--input-padding': '10px' } }) as never }),
    InputWrapper: Input.Wrapper.extend({
      defaultProps: { inputWrapperOrder: ['label', 'input', 'description', 'error'] },
      styles: { label: { fontSize: 13, lineHeight: '20px', fontWeight: 500, marginBlockEnd: 4 }, description: { fontSize: 12, lineHeight: '16px', marginBlockStart: 4, color: 'var(--c-ink-3)' }, error: { fontSize: 12, lineHeight: '16px', marginBlockStart: 4 } },
    }),
    Menu: Menu.extend({ defaultProps: { shadow: 'lg', position: 'bottom-end', offset: 4, withInitialFocusPlaceholder: false } }),
  },
});

// Mantine's own roles point at our tokens, so library parts and our CSS can never disagree.
// They must be set per scheme: `variables` alone loses to Mantine's own :root[data-mantine-color-scheme] block.
const roles = {
    '--mantine-color-body': 'var(--c-surface)',
    '--mantine-color-text': 'var(--c-ink)',
    '--mantine-color-dimmed': 'var(--c-ink-3)',
    '--mantine-color-placeholder': 'var(--c-ink-3)',
    '--mantine-color-default': 'var(--c-surface)',
    '--mantine-color-default-color': 'var(--c-ink)',
    '--mantine-color-default-border': 'var(--c-line-strong)',
    '--mantine-color-default-hover': 'var(--c-hover)',
    '--mantine-color-error': 'var(--c-bad)',
    '--mantine-color-anchor': 'var(--c-accent)',
};
export const cssVariablesResolver: CSSVariablesResolver = () => ({ variables: {}, light: roles, dark: roles });
