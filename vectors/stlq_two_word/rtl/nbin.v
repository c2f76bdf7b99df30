`timescale 1ns / 1ps
// nbin: input neurons, one word of TN lanes per beat. Outside the image the word is zero and the SRAM is not read.
module nbin #(
    parameter TN    = 16,
    parameter A     = 11,
    parameter DEPTH = 64
) (
    input  wire            clk,
    input  wire            host_we,
    input  wire [31:0]     host_addr,
    input  wire [TN*A-1:0] host_data,
    input  wire            issue,       // c: a beat is issued
    input  wire            in_image,      // c: its input position lies in the image
    input  wire [31:0]     addr,        // c: (y*IW + x)*CIT + cit
    output wire [TN*A-1:0] q            // c+1
);
    reg             in_image1;
    wire [TN*A-1:0] word;

    sram #(.BITS(TN*A), .DEPTH(DEPTH)) u_mem (
        .clk(clk), .we(host_we), .waddr(host_addr), .wdata(host_data),
        .re(issue && in_image), .raddr(addr), .rdata(word));

    always @(posedge clk) if (issue) in_image1 <= in_image;

    assign q = in_image1 ? word : {TN*A{1'b0}};
endmodule
