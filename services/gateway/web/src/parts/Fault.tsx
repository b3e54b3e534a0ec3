/** Catches a fault of a page, so that it does not take the rest along: says what happened and offers a way on. */
import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Notice } from './Notice';

function Told({ again }: { again: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="page">
      <Notice
        kind="bad"
        code="page_error"
        act={
          <span className="row wrap g8">
            <Button size="xs" variant="default" onClick={again}>
              {t('section.again')}
            </Button>
            <Button size="xs" variant="default" onClick={() => location.reload()}>
              {t('fault.reload')}
            </Button>
          </span>
        }
      >
        {t('problem.unexpected')}
      </Notice>
    </div>
  );
}

interface Props {
  /** Another value, e.g. another page, is another try. */
  on?: string;
  children: ReactNode;
}

export class Fault extends Component<Props, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override componentDidUpdate(before: Props): void {
    if (this.state.broken && before.on !== this.props.on) this.setState({ broken: false });
  }

  override render(): ReactNode {
    return this.state.broken ? <Told again={() => this.setState({ broken: false })} /> : this.props.children;
  }
}
