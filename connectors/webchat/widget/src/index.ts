import { FrontdeskChat } from './element';

if (!customElements.get('frontdesk-chat')) customElements.define('frontdesk-chat', FrontdeskChat);
