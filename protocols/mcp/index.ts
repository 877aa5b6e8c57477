/**
 * Tool servers of the Model Context Protocol, over Streamable HTTP, through the official client. Nothing is fetched but
 * what the operator allows.
 */
export { AllowedAddresses } from './allowed-addresses.ts';
export { type ListedTool, McpServer } from './mcp-server.ts';
